"""The headers of tar archives: ustar, GNU and pax. See POSIX pax(1) and GNU tar's manual.

Nothing in a header is trusted: what is out of range raises ``InvalidInputError``.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from agents.errors import InvalidInputError

BLOCK = 512
Kind = Literal["file", "folder", "symlink", "link", "char", "block", "fifo"]

KINDS: Mapping[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"S": "file",
    b"1": "link",
    b"2": "symlink",
    b"3": "char",
    b"4": "block",
    b"5": "folder",
    b"6": "fifo",
}
XATTR_KEY = "SCHILY.xattr."
_NODES = ("char", "block")
_NO_ID = 0xFFFFFFFF
_LATEST = 1 << 62
_SECOND = 1_000_000_000
_ADLER = 65521
_LARGEST = 1 << 50
# The first byte of a negative number in base 256.
_NEGATIVE = 0xFF
_MOST_REMEMBERED = 1024

Known = TypeVar("Known")
_TIME = re.compile(r"(-?)(\d{1,18})(?:\.(\d*))?")


@dataclass(slots=True)
class TarEntry:
    """One member. ``size`` is what the archive holds of it, ``mtime`` is in nanoseconds.

    ``pieces`` None means a plain file; otherwise those of a sparse one (offset and length).
    ``real_size`` is the whole length of either.
    """

    name: str
    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = 0
    real_size: int = 0
    target: str = ""
    device: tuple[int, int] = (0, 0)
    attributes: Mapping[str, bytes] | None = None
    pieces: list[tuple[int, int]] | None = None


class Headers:
    """Reads headers, and remembers what most of an archive's headers have in common."""

    def __init__(self) -> None:
        self._owners: dict[bytes, tuple[int, int, int]] = {}
        self._times: dict[bytes, int] = {}

    def read(self, block: bytes, pax: Mapping[str, bytes]) -> TarEntry:
        """Return the member that a header describes, with what a pax header says instead."""
        kind = KINDS.get(block[156:157])
        name = _name(block)
        if kind is None:
            raise InvalidInputError(f"The archive's member {name!r} is of an unknown kind.")
        if kind == "file" and name.endswith("/"):
            kind = "folder"
        mode, uid, gid = self._owner(block[100:124])
        size = _size(block) if kind == "file" else 0
        entry = TarEntry(name, kind, mode, uid, gid, size, self._time(block[136:148]), size)
        if kind != "file":
            entry.target = _text(block[157:257])
            if kind in _NODES:
                entry.device = read_number(block[329:337]), read_number(block[337:345])
        if pax:
            _apply(entry, pax)
        if entry.uid >= _NO_ID or entry.gid >= _NO_ID:
            raise InvalidInputError(f"The archive's member {name!r} has no valid owner.")
        return entry

    def _owner(self, data: bytes) -> tuple[int, int, int]:
        known = self._owners.get(data)
        if known is None:
            mode = read_number(data[:8]) & 0o7777
            known = mode, read_number(data[8:16]), read_number(data[16:24])
            _remember(self._owners, data, known)
        return known

    def _time(self, data: bytes) -> int:
        known = self._times.get(data)
        if known is None:
            known = min(_fast_number(data, 0, 12), _LATEST // _SECOND) * _SECOND
            _remember(self._times, data, known)
        return known


def _remember(memory: dict[bytes, Known], key: bytes, value: Known) -> None:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value


def check_header(block: bytes) -> None:
    """Compare a header with its checksum, as far as the low bits of the sum go."""
    if len(block) < BLOCK:
        raise InvalidInputError("The archive ends within a header.")
    # The low half of Adler-32 is the sum plus one, and much faster than Python's own sum.
    field = block[148:156]
    found = (zlib.adler32(block) & 0xFFFF) - 1 - sum(field) + 8 * 32
    if (read_number(field) - found) % _ADLER:
        raise InvalidInputError("The archive is damaged: a header's checksum is wrong.")


def read_number(data: bytes) -> int:
    """Return a number: octal digits, or GNU's base 256. Never negative."""
    if data[0] & 0x80:
        if data[0] & 0x40:
            return 0  # negative; only a time may mean it, and is shown as 1970
        return int.from_bytes(bytes([data[0] & 0x3F]) + data[1:], "big")
    try:
        text = data.partition(b"\0")[0].strip()
        number = int(text, 8) if text else 0
    except ValueError as exc:
        raise InvalidInputError("The archive is damaged: a header holds no number.") from exc
    if number < 0:
        raise InvalidInputError("The archive is damaged: a header holds a negative number.")
    return number


def _size(block: bytes) -> int:
    size = _fast_number(block, 124, 136)
    if block[124] == _NEGATIVE or size > _LARGEST:
        raise InvalidInputError("The archive is damaged: a member has no possible size.")
    return size


def _fast_number(data: bytes, start: int, end: int) -> int:
    """Return a number as :func:`read_number` does; quickly where only its last byte ends it."""
    digits = data[start : end - 1]
    return int(digits, 8) if digits.isdigit() else read_number(data[start:end])


def parse_pax(data: bytes) -> dict[str, bytes]:
    """Return the records of a pax header: ``<length> <key>=<value>\\n``."""
    records: dict[str, bytes] = {}
    at = 0
    while at < len(data) and data[at] != 0:
        length, space, _ = data[at : at + 21].partition(b" ")
        end = at + int(length) if space and length.isdigit() else 0
        record = data[at + len(length) + 1 : end]
        key, equals, value = record.partition(b"=")
        if end <= at or end > len(data) or not equals or not record.endswith(b"\n"):
            raise InvalidInputError("The archive is damaged: a pax header cannot be read.")
        _add_record(records, key.decode("utf-8", "surrogateescape"), value[:-1])
        at = end
    return records


def _add_record(records: dict[str, bytes], key: str, value: bytes) -> None:
    if key in ("GNU.sparse.offset", "GNU.sparse.numbytes"):
        # Sparse format 0.0 repeats the two; joined they are the map of format 0.1.
        before = records.get("GNU.sparse.map", b"")
        key, value = "GNU.sparse.map", before + (b"," if before else b"") + value
    records[key] = value


def _apply(entry: TarEntry, pax: Mapping[str, bytes]) -> None:
    entry.name = _pax_text(pax, "path", entry.name)
    entry.target = _pax_text(pax, "linkpath", entry.target)
    entry.uid = _pax_number(pax, "uid", entry.uid)
    entry.gid = _pax_number(pax, "gid", entry.gid)
    if entry.kind == "file":
        entry.size = entry.real_size = _pax_number(pax, "size", entry.size)
    if "mtime" in pax:
        entry.mtime = _nanoseconds(pax["mtime"])
    attributes: dict[str, bytes] = {}
    for key, value in pax.items():
        if key.startswith(XATTR_KEY):
            attributes[key.removeprefix(XATTR_KEY)] = value
    entry.attributes = attributes
    if "GNU.sparse.name" in pax:
        entry.name = _pax_text(pax, "GNU.sparse.name", entry.name)


def _pax_text(pax: Mapping[str, bytes], key: str, default: str) -> str:
    value = pax.get(key)
    if value is None:
        return default
    if b"\0" in value:
        raise InvalidInputError(f"The archive has a name with a zero byte: {value[:40]!r}.")
    return value.decode("utf-8", "surrogateescape")


def _pax_number(pax: Mapping[str, bytes], key: str, default: int) -> int:
    value = pax.get(key)
    if value is None:
        return default
    if not value.isdigit() or len(value) > 20:
        raise InvalidInputError(f"The archive is damaged: its {key} is {value[:40]!r}.")
    return int(value)


def _nanoseconds(value: bytes) -> int:
    found = _TIME.fullmatch(value.decode("ascii", "replace"))
    if found is None:
        raise InvalidInputError(f"The archive is damaged: a time is {value[:40]!r}.")
    if found[1]:
        return 0
    fraction = (found[3] or "")[:9].ljust(9, "0")
    return min(int(found[2]) * 1_000_000_000 + int(fraction), _LATEST)


def _name(block: bytes) -> str:
    name = _text(block[:100])
    if block[345] and block[257:263] == b"ustar\0":
        return f"{_text(block[345:500])}/{name}"
    return name


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
