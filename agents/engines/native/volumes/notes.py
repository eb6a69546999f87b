"""What is kept beside a volume's content, and which names volumes may have."""

import re
import time
from pathlib import Path

import msgspec

from agents.engines.native.images.durable import write_file
from agents.engines.specs import VolumeSpec
from agents.errors import InvalidInputError, NotFoundError
from agents.protocol.records import VolumeRecord

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}")
_FILE = "volume.json"


class VolumeNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a volume was made as; never changes."""

    name: str
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    anonymous: bool = False
    created_at: float = 0.0


def write_note(folder: Path, spec: VolumeSpec) -> None:
    """Write the note of a new volume into its folder, for good. Raises OSError."""
    note = VolumeNote(
        name=spec.name,
        labels=dict(spec.labels),
        options=dict(spec.options),
        anonymous=spec.anonymous,
        created_at=time.time(),
    )
    write_file(folder / _FILE, msgspec.json.encode(note))


def read_note(folder: Path) -> VolumeNote | None:
    """Return a volume's note, None if there is no such volume. Raises OSError."""
    try:
        data = (folder / _FILE).read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(data, type=VolumeNote)


def data_of(folder: Path) -> Path:
    """Return where the content of a volume is."""
    return folder / "_data"


def to_record(note: VolumeNote, folder: Path) -> VolumeRecord:
    """Return the volume as the world sees it."""
    return VolumeRecord(name=note.name, mountpoint=str(data_of(folder)), labels=note.labels)


def check_name(name: str) -> None:
    """Raise ``InvalidInputError`` for what no volume can be called."""
    if not NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is no name for a volume.",
            hint="Use two or more letters, digits, '_', '.' and '-', a letter or digit first.",
            field="volumes",
        )


def no_volume(name: str) -> NotFoundError:
    """Return the error for a volume that is not there."""
    return NotFoundError(f"There is no volume {name!r} on this host.", field="volumes")
