"""HTTP to registries: connections that are kept, TLS by registry, and errors in sentences.

Nothing is followed, retried or decoded here.
"""

import io
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import BaseHTTPResponse

from agents.engines.native.registry.settings import Places, is_loopback
from agents.errors import RegistryError

Response = BaseHTTPResponse
Body = bytes | IO[bytes] | io.RawIOBase

_TIMEOUT = urllib3.Timeout(connect=10.0, read=60.0)
_SHORT = 1 << 20
_USER_AGENT = "webpanel-agent"


class BrokenError(RegistryError):
    """A connection broke, or the registry is not well: worth another try."""

    retryable = True


class PlainError(RegistryError):
    """Whoever answers does not speak TLS."""


def settle(response: Response) -> None:
    """End an answer: its connection is used again, if what is left of the body is short.

    All of it must have been read before another thread gets the connection.
    """
    try:
        response.read(_SHORT)
        if response.read(1):
            response.close()
    except (HTTPError, OSError):
        response.close()
    response.release_conn()


def read_body(response: Response, most: int, address: str) -> bytes:
    """Return up to ``most`` bytes of an answer. Raises ``BrokenError``, ``RegistryError``."""
    try:
        return response.read(most)
    except HTTPError as exc:
        raise explain(exc, address) from exc


class Transport:
    """The connections of one pull, push or login; close it at the end."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._managers: dict[tuple[Path | str, ...], urllib3.PoolManager] = {}
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None = None,
    ) -> Response:
        """Send one request and return the answer, whose body is yet to be read.

        Raises ``BrokenError``, ``PlainError``, ``RegistryError``.
        """
        try:
            return self._manager(url).request(
                method,
                url,
                headers={"User-Agent": _USER_AGENT, **headers},
                body=body,
                timeout=_TIMEOUT,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except HTTPError as exc:
            raise explain(exc, urlsplit(url).netloc) from exc
        except ValueError:
            # What it says may hold a token, which no log shall show.
            where = urlsplit(url).netloc
            raise RegistryError(f"What the registry {where} wants cannot be sent.") from None

    def may_be_plain(self, url: str) -> bool:
        """Return whether an address may be asked without TLS."""
        return self._places.may_be_plain(urlsplit(url).netloc)

    def interrupt(self) -> None:
        """Break all connections, so that whoever waits for one wakes up."""
        for each in list(self._sockets):
            try:
                # Not the method of a TLS socket, which is not made for another thread.
                socket.socket.shutdown(each, socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        """Close all connections."""
        for manager in self._managers.values():
            manager.clear()

    def _manager(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        proxy = _proxy(parts.scheme, parts.netloc)
        authorities = self._places.authorities(parts.netloc)
        key: tuple[Path | str, ...] = (proxy, *authorities)
        if key not in self._managers:
            self._managers[key] = self._new_manager(proxy, authorities)
        return self._managers[key]

    def _new_manager(self, proxy: str, authorities: tuple[Path, ...]) -> urllib3.PoolManager:
        context = tls_context(authorities)
        manager = (
            urllib3.ProxyManager(proxy, maxsize=8, ssl_context=context)
            if proxy
            else urllib3.PoolManager(maxsize=8, ssl_context=context)
        )
        manager.pool_classes_by_scheme = _remembering(self._sockets)
        return manager


def _remembering(sockets: "WeakSet[socket.socket]") -> dict[str, type[HTTPConnectionPool]]:
    """Return pools whose connections note their sockets, for :meth:`Transport.interrupt`."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def tls_context(authorities: tuple[Path, ...]) -> ssl.SSLContext:
    """Return how servers are checked: by the system's CAs, and by those in these files."""
    context = ssl.create_default_context()
    for path in authorities:
        try:
            context.load_verify_locations(path)
        except (ssl.SSLError, OSError) as exc:
            raise RegistryError(f"The CA file {path} cannot be read: {exc}.") from exc
    return context


def _proxy(scheme: str, address: str) -> str:
    """Return the proxy that the environment names for this address, or ""."""
    if is_loopback(address) or proxy_bypass(address):
        return ""
    return str(getproxies().get(scheme, ""))


def explain(error: HTTPError, address: str) -> RegistryError:
    """Return what went wrong in a sentence, with what to do."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, SSLError):
        return _explain_tls(error, address)
    if isinstance(error, NameResolutionError):
        return RegistryError(
            f"The registry {address} cannot be found: its name is unknown.",
            hint="Check the name, and this host's DNS.",
        )
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return BrokenError(
            f"The registry {address} does not answer.", hint="Check this host's network."
        )
    if isinstance(error, ReadTimeoutError):
        return BrokenError(f"The registry {address} stopped answering.", hint="Try again.")
    if isinstance(error, NewConnectionError | ProxyError):
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)
        return BrokenError(
            f"The registry {address} cannot be reached: {reason}.",
            hint="Check that it runs, and the port.",
        )
    return BrokenError(f"The connection to the registry {address} broke.", hint="Try again.")


def _explain_tls(error: SSLError, address: str) -> RegistryError:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.partition("verify failed: ")[2].partition(" (_ssl")[0] or "it is not trusted"
        return RegistryError(
            f"The certificate of the registry {address} is refused: {why}.",
            hint="Name the CA that signed it as ca_file in registries.toml, or correct the name.",
        )
    if "EOF" in text:
        return BrokenError(f"The connection to the registry {address} broke.", hint="Try again.")
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text:
        return PlainError(
            f"The registry {address} does not speak TLS.",
            hint="If it is meant to have none, name it as insecure in registries.toml.",
        )
    return RegistryError(f"TLS with the registry {address} failed: {text}.")
