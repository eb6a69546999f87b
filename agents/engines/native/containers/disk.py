"""Small files that are never seen half written."""

import os
from pathlib import Path

import msgspec

from agents.errors import InvalidInputError
from agents.linux.failures import kernel_errors


def encoded(told: object) -> bytes:
    """Return JSON. Raises ``InvalidInputError`` for text that is none, such as half a surrogate."""
    try:
        return msgspec.json.encode(told)
    except UnicodeEncodeError as exc:
        raise InvalidInputError(
            f"the text {exc.object[:200]!r} is not valid Unicode",
            hint="Correct or leave out what holds it.",
        ) from exc


def encoded_for_good(told: object) -> bytes:
    """Do as :func:`encoded` for what must be read again. Raises it also for other types."""
    data = encoded(told)
    try:
        msgspec.json.decode(data, type=type(told))
    except msgspec.ValidationError as exc:
        raise InvalidInputError(f"the spec cannot be kept: {exc}") from exc
    return data


def write_atomic(path: Path, data: bytes, *, sync: bool, mode: int = 0o600) -> None:
    """Replace a file as a whole; ``sync`` makes it outlive a power cut. Blocks on the disk.

    Needs one writer for each path at a time. Raises KernelError, OutOfSpaceError; the old
    file is then as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with kernel_errors("write", path):
        try:
            _write(temporary, data, sync=sync, mode=mode)
            temporary.rename(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        if sync:
            _sync_folder(path.parent)


def _write(path: Path, data: bytes, *, sync: bool, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
