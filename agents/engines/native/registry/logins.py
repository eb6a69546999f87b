"""The credentials that are kept: ``logins.json`` under the engine's root, for root alone."""

import re
from pathlib import Path

import msgspec

from agents.config import PRIVATE, Secret
from agents.engines.abilities.registries import Credentials
from agents.engines.native.images.durable import locked, write_file
from agents.engines.native.images.references import DEFAULT_DOMAIN, LEGACY_DOMAIN
from agents.errors import InvalidInputError
from agents.linux.failures import kernel_errors

FILE = "logins.json"
_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    username: str
    password: str

    # The generated one would show the password.
    def __repr__(self) -> str:
        return f"_Kept({self.username})"


class Logins:
    """Credentials by registry. Raises ``KernelError``, ``OutOfSpaceError``."""

    def __init__(self, root: Path) -> None:
        self._path = root / FILE
        self._lock = root / "logins.lock"

    def find(self, registry: str) -> Credentials | None:
        """Return the credentials for a registry."""
        kept = self._read().get(registry)
        if kept is None:
            return None
        return Credentials(username=kept.username, password=Secret(kept.password))

    def all(self) -> dict[str, str]:
        """Return the username by registry."""
        return {registry: kept.username for registry, kept in self._read().items()}

    def put(self, registry: str, credentials: Credentials) -> None:
        """Keep credentials for a registry in place of those that were there."""
        kept = _Kept(username=credentials.username, password=credentials.password.reveal())
        with kernel_errors("keep a login in", self._path), locked(self._lock):
            self._write({**self._read(), registry: kept})

    def remove(self, registry: str) -> None:
        """Forget the credentials for a registry. Idempotent."""
        with kernel_errors("forget a login in", self._path), locked(self._lock):
            kept = self._read()
            if kept.pop(registry, None) is not None:
                self._write(kept)

    def _read(self) -> dict[str, _Kept]:
        with kernel_errors("read", self._path):
            try:
                data = self._path.read_bytes()
            except FileNotFoundError:
                return {}
        try:
            return msgspec.json.decode(data, type=dict[str, _Kept])
        except msgspec.DecodeError as exc:
            raise InvalidInputError(
                "The kept logins cannot be read.",
                hint="Remove the file and log in again.",
                file=str(self._path),
            ) from exc

    def _write(self, kept: dict[str, _Kept]) -> None:
        write_file(self._path, msgspec.json.encode(kept), PRIVATE)


def registry_name(text: str) -> str:
    """Return a registry's name as images' names begin, of what people write for it.

    >>> registry_name("https://registry.example:5000/v2/")
    'registry.example:5000'

    Raises ``InvalidInputError``.
    """
    name = text.strip().removeprefix("https://").removeprefix("http://").partition("/")[0]
    if not _ADDRESS.fullmatch(name):
        raise InvalidInputError(
            f"{text!r} is no registry.", hint="Write it as host or host:port.", field="registry"
        )
    return DEFAULT_DOMAIN if name == LEGACY_DOMAIN else name
