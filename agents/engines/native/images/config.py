"""The configuration of an image: the OCI document as it is kept, and the view others use.

See the OCI image specification, config.md.
"""

import hashlib
from datetime import UTC, datetime
from typing import Literal

import msgspec

from agents.engines.native.images.documents import read_document
from agents.errors import InvalidInputError

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Empty = dict[str, object]


class Healthcheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """How to ask a container whether it is well; durations are nanoseconds, as in the document."""

    test: tuple[str, ...] = ()
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """The part ``config`` of the document; None and empty mean the same."""

    user: str = ""
    exposed_ports: dict[str, Empty] | None = None
    env: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    volumes: dict[str, Empty] | None = None
    working_dir: str = ""
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    shell: tuple[str, ...] | None = None
    on_build: tuple[str, ...] | None = None


class RootFs(msgspec.Struct, frozen=True, kw_only=True):
    """The layers, lowest first, by the digest of their uncompressed tar."""

    type: str = "layers"
    diff_ids: tuple[str, ...] | None = None


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one step of the image came about."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole configuration document; an image's id is the digest of its bytes."""

    created: str = ""
    author: str = ""
    architecture: str = ""
    os: Literal["linux"]
    config: RunConfig | None = None
    rootfs: RootFs
    history: tuple[HistoryEntry, ...] | None = None


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an image says about its containers. None for a command means "not given".

    ``env`` holds ``NAME=value``, ``exposed_ports`` ``80/tcp``, ``volumes`` absolute paths.
    """

    env: tuple[str, ...] = ()
    cmd: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    working_dir: str = ""
    user: str = ""
    labels: dict[str, str] = {}
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    history: tuple[HistoryEntry, ...] = ()


def decode_document(data: bytes) -> ImageDocument:
    """Read a configuration document. Raises ``InvalidInputError``."""
    try:
        return read_document(data, ImageDocument)
    except msgspec.DecodeError as exc:
        raise InvalidInputError(f"The image's configuration cannot be read: {exc}.") from exc


def encode_document(document: ImageDocument) -> bytes:
    """Return the bytes of a document; the same document gives the same bytes."""
    return msgspec.json.encode(document, order="sorted")


def digest_of(data: bytes) -> str:
    """Return the sha256 digest of some bytes as the image specification writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def view(document: ImageDocument) -> ImageConfig:
    """Return the document's content without its distinction of null and empty."""
    config = document.config or RunConfig()
    return ImageConfig(
        env=config.env or (),
        cmd=config.cmd or None,
        entrypoint=config.entrypoint or None,
        working_dir=config.working_dir,
        user=config.user,
        labels=config.labels or {},
        exposed_ports=tuple(sorted(config.exposed_ports or {})),
        volumes=tuple(sorted(config.volumes or {})),
        stop_signal=config.stop_signal,
        healthcheck=config.healthcheck,
        history=document.history or (),
    )


def format_time(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC, with microseconds unless they are none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Return an RFC 3339 time in seconds since the epoch; 0 if there is none or it is bad."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0
