"""The agent's configuration: one file, ``agent.json``, written when the host joins.

It holds the Redis password, so only its owner may read it, and it is the only thing that
the agent's command line names.
"""

import os
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from agents.errors import InvalidInputError, NotFoundError

CONFIG_NAME = "agent.json"
# What is kept of a host that has left its panel: where its engines' things lie.
LEFT_NAME = "left.json"
PRIVATE = 0o600


class Secret:
    """Text that shows itself to nobody who does not ask for it with :meth:`reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; for the call that needs it, never for a message."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What one agent needs to work.

    ``root`` keeps what must survive a restart of the machine, ``run`` what need not. The
    keys and certificates are PEM files. ``redis_urls`` are tried in their order:
    ``rediss://host:port`` (TLS, both sides show a certificate) or ``unix:///path``.
    """

    panel: str
    uid: str
    name: str
    root: Path
    run: Path
    redis_urls: tuple[str, ...]
    redis_username: str
    redis_password: Secret
    private_key: Path
    certificate: Path
    ca_certificate: Path
    panel_key: Path
    engines: tuple[str, ...] = ("native",)
    heartbeat_seconds: float = 5.0

    def load_private_key(self) -> Ed25519PrivateKey:
        """Return the key that signs this host's events."""
        key = load_pem_private_key(_read(self.private_key), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidInputError("the host's key is not an Ed25519 key", file=_s(self))
        return key

    def load_panel_key(self) -> Ed25519PublicKey:
        """Return the key that the panel's commands are checked with."""
        key = load_pem_public_key(_read(self.panel_key))
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidInputError("the panel's key is not an Ed25519 key", file=_s(self))
        return key


def _s(config: AgentConfig) -> str:
    return str(config.root / CONFIG_NAME)


def load(path: Path) -> AgentConfig:
    """Read the configuration.

    Raises:
        NotFoundError: this host has not joined a panel.
        InvalidInputError: the file is damaged; says in which field.
    """
    try:
        return msgspec.json.decode(_read(path), type=AgentConfig, dec_hook=_decode)
    except msgspec.MsgspecError as error:
        raise InvalidInputError(
            f"the agent's configuration is damaged: {error}",
            file=str(path),
            hint="Join this host again with a new join token.",
        ) from error


def save(config: AgentConfig, path: Path) -> None:
    """Write the configuration, for its owner alone. Atomic."""
    text = msgspec.json.encode(config, enc_hook=_encode)
    write_private(path, msgspec.json.format(text) + b"\n")


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; it is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(
            f"the file {path} is not there: this host has not joined a panel",
            hint="Run the line that the panel shows under “Add host”.",
        ) from error
    except PermissionError as error:
        raise InvalidInputError(f"the file {path} may not be read; run this as root") from error


def _decode(kind: type, value: Any) -> object:  # noqa: ANN401 msgspec hands over plain JSON
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    if issubclass(kind, Path) and isinstance(value, str):
        return Path(value)
    raise TypeError(f"no {kind.__name__}")


def _encode(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written")
