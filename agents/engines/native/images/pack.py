"""Writes the folder of a layer as a tar stream: the inverse of :mod:`extract`.

The same folder gives the same bytes, so their digest names the layer (its ``diff_id``).
"""

import hashlib
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.native.images.extract import (
    OPAQUE,
    OPAQUE_MARK,
    OVERLAY_PREFIX,
    WHITEOUT,
    XATTR_KEY,
)

Write = Callable[[bytes], object]

_CHUNK = 1 << 20
_TYPES = {
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A layer's digest, the bytes of its files, and whether there is nothing in it."""

    diff_id: str
    size: int
    is_empty: bool


@dataclass
class _Stream:
    write: Write
    size: int = 0
    members: int = 0
    seen: dict[tuple[int, int], str] = field(default_factory=dict)


def measure(folder: Path) -> Packed:
    """Return what a layer's folder is called by its content. Blocks while it reads all."""
    digest = hashlib.sha256()
    stream = _Stream(write=digest.update)
    _write(folder, stream)
    return Packed(
        diff_id=f"sha256:{digest.hexdigest()}", size=stream.size, is_empty=stream.members == 0
    )


def write_tar(folder: Path, write: Write) -> None:
    """Write the layer in ``folder`` as an OCI layer tar, uncompressed."""
    _write(folder, _Stream(write=write))


def _write(folder: Path, stream: _Stream) -> None:
    if _is_opaque(folder):
        _emit(stream, tarfile.TarInfo(OPAQUE_MARK))
    for path in _walk(folder):
        _write_entry(path, path.relative_to(folder).as_posix(), stream)
    stream.write(bytes(2 * tarfile.BLOCKSIZE))


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _write_entry(path: Path, name: str, stream: _Stream) -> None:
    found = path.lstat()
    if stat.S_ISSOCK(found.st_mode):
        return  # a socket without its program is nothing; tar has no kind for it
    if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
        parent, _, hidden = name.rpartition("/")
        whiteout = f"{parent}/{WHITEOUT}{hidden}" if parent else WHITEOUT + hidden
        _emit(stream, tarfile.TarInfo(whiteout))
        return
    info = _describe(path, name, found)
    first = stream.seen.setdefault((found.st_dev, found.st_ino), name)
    if first != name and not info.isdir():
        info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
    _emit(stream, info)
    if info.isreg():
        _write_content(path, info.size, stream)
    if info.isdir() and _is_opaque(path):
        _emit(stream, tarfile.TarInfo(f"{name}/{OPAQUE_MARK}"))


def _describe(path: Path, name: str, found: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = _TYPES[stat.S_IFMT(found.st_mode)]
    info.mode = stat.S_IMODE(found.st_mode)
    info.uid, info.gid = found.st_uid, found.st_gid
    info.mtime = found.st_mtime_ns / 1_000_000_000
    if info.isreg():
        info.size = found.st_size
    elif info.issym():
        info.linkname = str(path.readlink())
    elif info.ischr() or info.isblk():
        info.devmajor, info.devminor = os.major(found.st_rdev), os.minor(found.st_rdev)
    info.pax_headers = _attributes(path)
    return info


def _attributes(path: Path) -> dict[str, str]:
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return {
        XATTR_KEY + name: os.getxattr(path, name, follow_symlinks=False).decode(
            "utf-8", "surrogateescape"
        )
        for name in names
        if not name.startswith(OVERLAY_PREFIX)
    }


def _is_opaque(path: Path) -> bool:
    return OPAQUE in os.listxattr(path) and os.getxattr(path, OPAQUE) == b"y"


def _emit(stream: _Stream, info: tarfile.TarInfo) -> None:
    stream.members += 1
    stream.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))


def _write_content(path: Path, size: int, stream: _Stream) -> None:
    left = size
    with path.open("rb") as file:
        while left and (chunk := file.read(min(left, _CHUNK))):
            stream.write(chunk)
            left -= len(chunk)
    stream.write(bytes(left + -size % tarfile.BLOCKSIZE))
    stream.size += size
