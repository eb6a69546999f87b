"""What the user says about registries: ``registries.toml`` under the engine's root.

The file is read anew at each call. See docs/engine/registries.md.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from agents.engines.native.images.references import DEFAULT_DOMAIN, LEGACY_DOMAIN
from agents.errors import InvalidInputError

FILE = "registries.toml"
CERTIFICATES = "certs.d"
MOST_PARALLEL = 32

Scheme = Literal["", "http", "https"]


class RegistrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One registry. ``insecure`` allows plain HTTP, but never a certificate that is wrong."""

    insecure: bool = False
    ca_file: str = ""
    mirrors: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of the file; a registry's key is its name in images' names.

    ``keep_compressed`` keeps layers as they came, too, for pushing them elsewhere.
    """

    parallel: int = 3
    keep_compressed: bool = True
    registry: dict[str, RegistrySettings] = {}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a registry or a mirror answers.

    ``registry`` is its name, which logins are kept under; ``address`` is host[:port].
    ``scheme`` "" is found out by asking, and may only be plain if ``may_be_plain``.
    ``prefix`` goes before the repository's path.
    """

    registry: str
    address: str
    scheme: Scheme = ""
    may_be_plain: bool = False
    prefix: str = ""


class Places:
    """Where registries answer, by the settings under ``root``.

    Raises ``InvalidInputError`` for a file that is wrong.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / FILE
        self.settings = self._read()

    def endpoints(self, registry: str) -> tuple[Endpoint, ...]:
        """Return where to pull from, in order: mirrors, and the registry itself last."""
        mirrors = self._settings_of(registry).mirrors
        return (*(self._mirror(one) for one in mirrors), self.origin(registry))

    def origin(self, registry: str) -> Endpoint:
        """Return where the registry itself answers."""
        if registry == DEFAULT_DOMAIN:
            # Its name in images' names is a web site; the registry is at the older name.
            return Endpoint(registry=registry, address=LEGACY_DOMAIN, scheme="https")
        return Endpoint(
            registry=registry, address=registry, may_be_plain=self.may_be_plain(registry)
        )

    def authorities(self, address: str) -> tuple[Path, ...]:
        """Return the files with further CAs for whoever answers at ``address``."""
        folder = self._root / CERTIFICATES / address
        found = tuple(sorted(folder.glob("*.crt")))
        named = self._settings_of(address).ca_file
        if not named:
            return found
        if not Path(named).is_file():
            raise self._invalid(f"the CA file {named} is not there")
        return (Path(named), *found)

    def _settings_of(self, registry: str) -> RegistrySettings:
        return self.settings.registry.get(registry, RegistrySettings())

    def may_be_plain(self, address: str) -> bool:
        """Return whether ``address`` may be asked without TLS."""
        return self._settings_of(address).insecure or is_loopback(address)

    def _mirror(self, text: str) -> Endpoint:
        parts = urlsplit(text if "://" in text else f"//{text}")
        address, path = parts.netloc, parts.path.strip("/")
        if not address or "@" in address or parts.scheme not in ("", "http", "https"):
            raise self._invalid(f"{text!r} is no address of a mirror")
        scheme: Scheme = "http" if parts.scheme == "http" else "https" if parts.scheme else ""
        if scheme == "http" and not self.may_be_plain(address):
            raise self._invalid(f"the mirror {text} has no TLS, but is not named as insecure")
        return Endpoint(
            registry=address,
            address=address,
            scheme=scheme,
            may_be_plain=self.may_be_plain(address),
            prefix=f"{path}/" if path else "",
        )

    def _read(self) -> Settings:
        try:
            settings = msgspec.toml.decode(self._path.read_bytes(), type=Settings)
        except FileNotFoundError:
            return Settings()
        except (msgspec.DecodeError, ValueError) as exc:
            raise self._invalid(str(exc)) from exc
        if not 1 <= settings.parallel <= MOST_PARALLEL:
            raise self._invalid(f"parallel must be 1 to {MOST_PARALLEL}")
        return settings

    def _invalid(self, why: str) -> InvalidInputError:
        return InvalidInputError(
            f"The settings of registries are wrong: {why}.",
            hint="Correct the file.",
            file=str(self._path),
        )


def is_loopback(address: str) -> bool:
    """Return whether ``host[:port]`` is this machine by its name alone, without asking DNS."""
    host = urlsplit(f"//{address}").hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
