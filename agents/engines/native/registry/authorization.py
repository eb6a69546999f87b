"""How a registry learns who asks: not at all, basic (RFC 7617), or with a token.

A registry answers 401 with a challenge (RFC 9110, 11.6.1). For ``Bearer`` a token is
fetched from the ``realm`` it names, with the credentials; see the distribution project's
"Token Authentication Specification".
"""

import base64
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit

import msgspec

from agents.engines.abilities.registries import Credentials
from agents.engines.native.images.documents import read_document
from agents.engines.native.registry.settings import Endpoint
from agents.engines.native.registry.transport import (
    BrokenError,
    Response,
    Transport,
    read_body,
    settle,
)
from agents.errors import AccessDeniedError, RegistryError

LARGEST_ANSWER = 1 << 20
# What the specification says for a token that does not say it.
_TOKEN_SECONDS = 60.0
_MARGIN = 5.0
_PARAMETER = r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))'
_SCHEME = r"([\w-]+)(?:\s+|$)"
_NEXT = re.compile(rf"\s*,?\s*(?:{_PARAMETER}|{_SCHEME})")


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token server's answer; old servers say ``token``, OAuth 2 ``access_token``."""

    token: str = ""
    access_token: str = ""
    expires_in: float = _TOKEN_SECONDS

    def __repr__(self) -> str:
        return "Token(•••)"


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """One way that a registry offers; names and scheme in lower case."""

    scheme: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class _Bearer:
    header: str
    until: float

    def __repr__(self) -> str:
        return "_Bearer(•••)"


class Authorization:
    """What to show one registry; usable from several threads."""

    def __init__(
        self, transport: Transport, credentials: Credentials | None, endpoint: Endpoint
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._address = endpoint.address
        self._endpoint = endpoint
        self._mutex = threading.Lock()
        self._basic = False
        self._bearers: dict[tuple[str, ...], _Bearer] = {}

    def headers(self, scopes: tuple[str, ...]) -> dict[str, str]:
        """Return what to send with a request; empty before the registry has asked."""
        with self._mutex:
            value = self._basic_value() if self._basic else self._bearer(scopes)
        return {"Authorization": value} if value else {}

    def meet(self, response: Response, scopes: tuple[str, ...], shown: str) -> bool:
        """Take a 401 and return whether another try makes sense.

        ``shown`` is the Authorization header that did not please.
        """
        offers = parse_challenges(response.headers.getlist("WWW-Authenticate"))
        with self._mutex:
            for offer in offers:
                if offer.scheme == "bearer":
                    return self._meet_bearer(offer, scopes, shown)
            if any(offer.scheme == "basic" for offer in offers) and self._credentials:
                self._basic = True
                return not shown
        return False

    @property
    def has_credentials(self) -> bool:
        """Whether there is a login to show."""
        return self._credentials is not None

    def _meet_bearer(self, offer: Challenge, scopes: tuple[str, ...], shown: str) -> bool:
        current = self._bearer(scopes)
        if current and current != shown:
            return True  # another thread has fetched one meanwhile
        token = self._fetch(offer, scopes)
        self._bearers[scopes] = token
        return token.header != shown

    def _bearer(self, scopes: tuple[str, ...]) -> str:
        found = self._bearers.get(scopes)
        return found.header if found and found.until > time.monotonic() else ""

    def _basic_value(self) -> str:
        if self._credentials is None:
            return ""
        pair = f"{self._credentials.username}:{self._credentials.password.reveal()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _fetch(self, offer: Challenge, scopes: tuple[str, ...]) -> _Bearer:
        realm = offer.parameters.get("realm", "")
        self._check_realm(realm)
        basic = self._basic_value()
        headers = {"Authorization": basic} if basic else {}
        response = self._transport.send("GET", self._token_url(offer, scopes), headers)
        try:
            return self._read_token(response, realm)
        finally:
            settle(response)

    def _check_realm(self, realm: str) -> None:
        try:
            scheme = urlsplit(realm).scheme
            # A registry far away must not make us ask what listens on this host, either.
            is_near = self._endpoint.may_be_plain and self._transport.may_be_plain(realm)
        except ValueError:
            scheme, is_near = "", False
        if scheme == "https" or (scheme == "http" and is_near):
            return
        raise RegistryError(
            f"The registry {self._address} wants credentials sent to {realm!r}, without TLS.",
            hint="If that is meant so, name that address as insecure in registries.toml.",
        )

    def _token_url(self, offer: Challenge, scopes: tuple[str, ...]) -> str:
        query = [("service", offer.parameters["service"])] if "service" in offer.parameters else []
        query += [("scope", scope) for scope in scopes]
        if self._credentials:
            query.append(("account", self._credentials.username))
        realm = offer.parameters["realm"]
        return f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"

    def _read_token(self, response: Response, realm: str) -> _Bearer:
        address = urlsplit(realm).netloc
        if response.status in (401, 403):
            raise denied(self._address, has_login=self._credentials is not None)
        if response.status >= 500 or response.status == 429:
            raise BrokenError(f"The token server {address} answers {response.status}.")
        try:
            answer = read_document(read_body(response, LARGEST_ANSWER, address), Token)
        except msgspec.DecodeError as exc:
            raise RegistryError(f"The token server {address} sends no token.") from exc
        text = answer.token or answer.access_token
        if response.status != 200 or not text:
            raise RegistryError(f"The token server {address} sends no token ({response.status}).")
        until = time.monotonic() + max(answer.expires_in, _TOKEN_SECONDS) - _MARGIN
        return _Bearer(f"Bearer {text}", until)


def denied(
    address: str, *, has_login: bool, what: Literal["", "push", "pull"] = ""
) -> AccessDeniedError:
    """Return the error for a registry that does not let one do something."""
    doing = f" to {what}" if what else ""
    if has_login:
        return AccessDeniedError(
            f"The registry {address} refuses the login{doing}.",
            hint="Check the username and password, and what that user may do there.",
        )
    return AccessDeniedError(
        f"The registry {address} wants a login{doing}, or has no such image.",
        hint="Log in to the registry, and check the image's name.",
    )


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Return what WWW-Authenticate headers offer, as far as they can be read.

    >>> parse_challenges(['Bearer realm="https://a/b",service="c"'])[0].parameters["service"]
    'c'
    """
    found: list[Challenge] = []
    for header in headers:
        place = 0
        while place < len(header) and (match := _NEXT.match(header, place)):
            place = match.end()
            name, quoted, plain, scheme = match.groups()
            if scheme:
                found.append(Challenge(scheme=scheme.lower(), parameters={}))
            elif found:
                value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
                found[-1].parameters[name.lower()] = value
    return tuple(found)
