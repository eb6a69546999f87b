"""Reads a plain tar from a stream, member by member, in chunks as they come.

Made for speed: the content of a file goes from the chunk into the file without a copy, and
a header costs a few microseconds.
"""

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from agents.engines.native.images.tarheader import (
    BLOCK,
    Headers,
    TarEntry,
    check_header,
    parse_pax,
    read_number,
)
from agents.errors import InvalidInputError

LARGEST_EXTENSION = 1 << 20
_CHUNK = 1 << 20
_MOST_EXTENSIONS = 16
_MOST_PIECES = 1 << 16
_ZEROS = bytes(BLOCK)


class Readable(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int = ..., /) -> bytes:
        """Read up to ``size`` bytes."""
        ...


class Literals(Protocol):
    """Who is told all that is no plain file's content."""

    def literal(self, data: bytes) -> object:
        """Take the next bytes."""
        ...


class TarStream:
    """The members of a tar, in order. ``recorder`` is told all that is no file's content.

    ``needs_end`` takes the end of the stream before the archive's own for a damage.
    ``jumps`` is the source if it is a file, so that contents need not be read to be left out.
    ``omitted`` says of which members the source has everything but the content.
    Raises ``InvalidInputError`` for what is damaged, and whatever ``source`` raises.
    """

    def __init__(
        self,
        source: Readable,
        recorder: Literals | None = None,
        omitted: Callable[[TarEntry], bool] | None = None,
        *,
        needs_end: bool = False,
        jumps: BinaryIO | None = None,
    ) -> None:
        self._source = source
        self._recorder = recorder
        self._omitted = omitted
        self._needs_end = needs_end
        self._jumps = jumps
        # Where in the whole stream the chunk begins.
        self._start = 0
        self._headers = Headers()
        self._chunk = b""
        self._view = memoryview(b"")
        self._at = 0
        # Where in the chunk begins what the recorder does not know yet.
        self._noted = 0
        self._left = 0
        self._taken = 0

    def __iter__(self) -> Iterator[TarEntry]:
        """Give each member; its content may be read until the next one is asked for."""
        while True:
            if self._left <= len(self._chunk) - self._at:
                self._at += self._left
            else:
                self._skip(self._left)
            entry = self._next_entry()
            if entry is None:
                break
            size = entry.size
            self._left = -size % BLOCK
            if self._omitted is None or not self._omitted(entry):
                self._left += size
            yield entry
        self._drain()

    @property
    def position(self) -> int:
        """Where in the stream the content of the member just given begins."""
        return self._start + self._at

    def copy_to(self, entry: TarEntry, fd: int) -> None:
        """Write the content of the member just given to a file."""
        if entry.pieces is not None:
            self._copy_pieces(entry, fd)
        elif entry.size:
            self.note()
            end = self._at + entry.size
            if end <= len(self._chunk) and os.write(fd, self._view[self._at : end]) == entry.size:
                self._at = self._noted = end
            else:
                os.lseek(fd, 0, os.SEEK_SET)
                self._write(fd, entry.size, is_noted=True)
                os.ftruncate(fd, entry.size)
            self._left -= entry.size

    def _copy_pieces(self, entry: TarEntry, fd: int) -> None:
        """Write a sparse file; its pieces stay in the recipe, as such files are rare."""
        for offset, length in entry.pieces or ():
            if length > self._left or offset + length > entry.real_size:
                raise InvalidInputError(f"The map of the sparse file {entry.name!r} is wrong.")
            os.lseek(fd, offset, os.SEEK_SET)
            self._write(fd, length, is_noted=False)
            self._left -= length
        os.ftruncate(fd, entry.real_size)

    def _write(self, fd: int, size: int, *, is_noted: bool) -> None:
        while size:
            if self._at == len(self._chunk):
                self._fill()
            done = _put(fd, self._view[self._at : self._at + size])
            self._at += done
            size -= done
            if is_noted:
                self._noted = self._at

    def _next_entry(self) -> TarEntry | None:
        block = self._take(BLOCK, may_end=not self._needs_end)
        if not block or block == _ZEROS:
            return None
        check_header(block)
        pax: dict[str, bytes] = {}
        if block[156] in _EXTENSIONS:
            block = self._read_extensions(block, pax)
        entry = self._headers.read(block, pax)
        if pax or block[156] == _SPARSE:
            self._read_pieces(entry, block, pax)
        return entry

    def _read_extensions(self, block: bytes, pax: dict[str, bytes]) -> bytes:
        """Read the headers that go before a member's own, and return that one."""
        for _ in range(_MOST_EXTENSIONS):
            self._extend(block, pax)
            block = self._take(BLOCK)
            check_header(block)
            if block[156] not in _EXTENSIONS:
                return block
        raise InvalidInputError("The archive has too many headers for one member.")

    def _extend(self, block: bytes, pax: dict[str, bytes]) -> None:
        kind, size = block[156:157], read_number(block[124:136])
        if size > LARGEST_EXTENSION:
            raise InvalidInputError("The archive has a header that is too large.")
        data = self._take(size)
        self._skip(-size % BLOCK)
        if kind in b"xX":
            pax.update(parse_pax(data))
        elif kind in _LONG:
            pax[_LONG[kind]] = data.partition(b"\0")[0]

    def _read_pieces(self, entry: TarEntry, block: bytes, pax: dict[str, bytes]) -> None:
        """Read the map of a sparse file, in each of GNU's forms."""
        if block[156] == _SPARSE:
            entry.pieces = self._old_map(block)
            entry.real_size = read_number(block[483:495])
        elif "GNU.sparse.map" in pax:
            entry.pieces = _pairs(_numbers(pax["GNU.sparse.map"].split(b",")))
            entry.real_size = _real_size(pax)
        elif pax.get("GNU.sparse.major") == b"1":
            before = self._taken
            entry.pieces = _pairs(self._new_map())
            entry.size = max(0, entry.size - (self._taken - before))
            entry.real_size = _real_size(pax)

    def _old_map(self, block: bytes) -> list[tuple[int, int]]:
        pieces = list(_old_pieces(block, 386, 4))
        more = block[482]
        while more:
            block = self._take(BLOCK)
            pieces += _old_pieces(block, 0, 21)
            more = block[504]
            if len(pieces) > _MOST_PIECES:
                raise InvalidInputError("The archive has a sparse file of too many pieces.")
        return pieces

    def _new_map(self) -> list[int]:
        """Read a map of format 1.0: decimal lines before the content, padded to blocks."""
        text = b""
        wanted = 1
        while text.count(b"\n") < wanted:
            text += self._take(BLOCK)
            first, end, _ = text.partition(b"\n")
            if end:
                wanted = 1 + 2 * _numbers([first])[0]
            if wanted > 2 * _MOST_PIECES or len(text) > LARGEST_EXTENSION:
                raise InvalidInputError("The archive has a sparse file of too many pieces.")
        return _numbers(text.split(b"\n")[1:wanted])

    def _take(self, size: int, *, may_end: bool = False) -> bytes:
        """Return the next bytes; none at the very end if that may be."""
        end = self._at + size
        if end <= len(self._chunk):
            data = self._chunk[self._at : end]
            self._at = end
        else:
            data = self._take_slowly(size, may_end=may_end)
        self._taken += size
        return data

    def _take_slowly(self, size: int, *, may_end: bool) -> bytes:
        parts: list[bytes] = []
        while size:
            if self._at == len(self._chunk) and not self._try_fill():
                if may_end and not parts:
                    return b""
                raise InvalidInputError("The archive ends too early.")
            part = self._chunk[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _skip(self, size: int) -> None:
        self._left = 0
        if self._jumps is not None and size > len(self._chunk) - self._at + _CHUNK:
            size = self._jump(self._jumps, size)
        while size:
            if self._at == len(self._chunk):
                self._fill()
            step = min(size, len(self._chunk) - self._at)
            self._at += step
            size -= step

    def _jump(self, file: BinaryIO, size: int) -> int:
        """Leave out all but the last byte of a content, which must be there."""
        target = self._start + self._at + size - 1
        file.seek(target)
        self._chunk, self._view = b"", memoryview(b"")
        self._start, self._at, self._noted = target, 0, 0
        return 1

    def _fill(self) -> None:
        if not self._try_fill():
            raise InvalidInputError("The archive ends too early.")

    def _try_fill(self) -> bool:
        """Go on to the next chunk; whatever is left of the last one has been used."""
        self.note()
        self._start += len(self._chunk)
        self._chunk = self._source.read(_CHUNK)
        self._view = memoryview(self._chunk)
        self._at = self._noted = 0
        return bool(self._chunk)

    def note(self) -> None:
        """Tell the recorder of all that was read so far."""
        if self._recorder is not None and self._at > self._noted:
            self._recorder.literal(self._chunk[self._noted : self._at])
        self._noted = self._at

    def _drain(self) -> None:
        """Read what follows the end of the archive, which counts for its digest."""
        self._at = len(self._chunk)
        while self._try_fill():
            self._at = len(self._chunk)


_LONG = {b"L": "path", b"K": "linkpath"}
_EXTENSIONS = frozenset(b"xXgLK")
_SPARSE = ord("S")


def _old_pieces(block: bytes, at: int, count: int) -> Iterator[tuple[int, int]]:
    for start in range(at, at + 24 * count, 24):
        length = read_number(block[start + 12 : start + 24])
        if length:
            yield read_number(block[start : start + 12]), length


def _numbers(texts: list[bytes]) -> list[int]:
    if not all(text.isdigit() and len(text) < 20 for text in texts):
        raise InvalidInputError("The map of a sparse file in the archive cannot be read.")
    return [int(text) for text in texts]


def _put(fd: int, data: memoryview) -> int:
    """Write data, or pass over it if it is zeros alone, so that they take no place on the disk."""
    size = len(data)
    if data[:BLOCK] == _ZEROS and not any(data[-BLOCK:]) and data.tobytes() == bytes(size):
        os.lseek(fd, size, os.SEEK_CUR)
        return size
    return os.write(fd, data)


def _pairs(numbers: list[int]) -> list[tuple[int, int]]:
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _real_size(pax: dict[str, bytes]) -> int:
    value = pax.get("GNU.sparse.realsize") or pax.get("GNU.sparse.size") or b""
    return _numbers([value])[0]
