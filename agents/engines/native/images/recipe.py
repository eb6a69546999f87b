"""How a layer's tar is put together again, byte for byte, from the files it was unpacked to.

A recipe is the tar without the content of its plain files, kept compressed beside the
layer. What a later member of the same tar replaced is kept as an *orphan*. So a layer can
be given away under the digest that it came with, whoever wrote its tar.
"""

import os
import zlib
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from agents.engines.native.images.folders import split_name
from agents.engines.native.images.tarheader import TarEntry
from agents.engines.native.images.tarstream import TarStream
from agents.errors import InvalidInputError

RECIPE = "recipe"
ORPHANS = "orphans"
# There is such a file beside a layer whose tar says how "/" itself is.
OWN_ROOT = "own-root"
WHITEOUT = ".wh."
Write = Callable[[bytes], object]
Orphans = dict[str, deque[tuple[int, int]]]

_LAYERED, _PLAIN = b"L", b"P"
_HEAD = Struct("<HQ")
_FLUSH = 256 << 10
_MOST_WRITING = 8
_CHUNK = 1 << 20


class Recorder:
    """Writes the recipe of a layer into ``folder``. Raises OSError.

    ``layered`` false means that names with ``.wh.`` are plain files.
    """

    def __init__(self, folder: Path, *, layered: bool = True) -> None:
        self._file = (folder / RECIPE).open("xb")
        self._packer = zlib.compressobj(1)
        # Compressing goes on beside the unpacking.
        self._thread = ThreadPoolExecutor(1, "recipe")
        self._writing: deque[Future[None]] = deque()
        self._orphans: BinaryIO | None = None
        self._orphans_path = folder / ORPHANS
        self._own_root = folder / OWN_ROOT
        self._waiting = [_LAYERED if layered else _PLAIN]
        self._size = 0

    def literal(self, data: bytes) -> None:
        """Note bytes that are no plain file's content."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size > _FLUSH:
            self._flush()

    def orphan(self, path: str, file: BinaryIO) -> None:
        """Keep the content of a file that is about to be replaced."""
        if self._orphans is None:
            self._orphans = self._orphans_path.open("xb")
        name, size = os.fsencode(path), os.fstat(file.fileno()).st_size
        self._orphans.write(_HEAD.pack(len(name), size) + name)
        while chunk := file.read(_CHUNK):
            self._orphans.write(chunk)

    def own_root(self) -> None:
        """Note that the tar says how "/" itself is."""
        self._own_root.touch()

    def finish(self) -> None:
        """Write what is left, and close."""
        self._flush()
        for written in self._writing:
            written.result()
        self._file.write(self._packer.flush())
        self.close()

    def close(self) -> None:
        """Close the files. Idempotent."""
        self._thread.shutdown()
        self._file.close()
        if self._orphans is not None:
            self._orphans.close()

    def _flush(self) -> None:
        self._writing.append(self._thread.submit(self._compress, self._waiting))
        self._waiting = []
        self._size = 0
        while len(self._writing) > _MOST_WRITING:
            self._writing.popleft().result()

    def _compress(self, parts: list[bytes]) -> None:
        self._file.write(self._packer.compress(b"".join(parts)))


def assemble(folder: Path, write: Write) -> None:
    """Write the tar of the layer in ``folder``/diff as its recipe says.

    Raises OSError, ``InvalidInputError`` for a recipe that is damaged. The digest is the
    caller's to check.
    """
    orphans = _read_orphans(folder / ORPHANS)
    with (folder / RECIPE).open("rb") as file:
        recipe = _Inflated(file)
        layered = recipe.read(1) == _LAYERED
        stream = TarStream(recipe, _Echo(write), omitted=lambda one: is_omitted(one, layered))
        for entry in stream:
            if is_omitted(entry, layered):
                stream.note()
                _write_content(folder, entry, orphans, write)


def is_omitted(entry: TarEntry, layered: bool) -> bool:
    """Return whether a member's content is left out of the recipe."""
    name = entry.name.rpartition("/")[2]
    is_marker = layered and name.startswith(WHITEOUT)
    return entry.kind == "file" and entry.pieces is None and entry.size > 0 and not is_marker


class _Echo:
    """Hands on what the recipe holds, as it is read."""

    def __init__(self, write: Write) -> None:
        self.literal = write


def _read_orphans(path: Path) -> Orphans:
    """Return where in their file the replaced contents of each path are, oldest first."""
    found: Orphans = defaultdict(deque)
    if not path.exists():
        return found
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            length, size = _HEAD.unpack(head)
            name = os.fsdecode(file.read(length))
            found[name].append((file.tell(), size))
            file.seek(size, os.SEEK_CUR)
    return found


def _write_content(folder: Path, entry: TarEntry, orphans: Orphans, write: Write) -> None:
    path = "/".join(split_name(entry.name))
    waiting = orphans.get(path)
    if waiting:
        # The path was written more than once: the first orphan is the first of its files.
        offset, _ = waiting.popleft()
        _copy(folder / ORPHANS, offset, entry.size, write)
    else:
        _copy(folder / "diff" / path, 0, entry.size, write)


def _copy(path: Path, offset: int, size: int, write: Write) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while size:
            chunk = os.pread(fd, min(size, _CHUNK), offset)
            if not chunk:
                raise damaged_layer()
            write(chunk)
            offset, size = offset + len(chunk), size - len(chunk)
    finally:
        os.close(fd)


class _Inflated:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj()

    def read(self, size: int = -1) -> bytes:
        while not self._unpacker.eof:
            piece = self._unpacker.unconsumed_tail or self._file.read(_FLUSH)
            data = self._unpacker.decompress(piece, size if size > 0 else _CHUNK)
            if data:
                return data
            if not piece:
                raise damaged_layer()
        return b""


def damaged_layer() -> InvalidInputError:
    """Return what to raise for a layer that is not what its digest says."""
    return InvalidInputError(
        "A layer of the image is damaged on this host.", hint="Pull, load or build it again."
    )
