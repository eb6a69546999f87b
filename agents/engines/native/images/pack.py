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
from typing import BinaryIO

from agents.engines.native.images.extract import OPAQUE_MARK, OVERLAY_PREFIX
from agents.engines.native.images.folders import OPAQUE
from agents.engines.native.images.recipe import WHITEOUT, Recorder, Write
from agents.engines.native.images.tarheader import XATTR_KEY

Keep = Callable[[str, os.stat_result], bool]

WHITEOUT_MARK = "trusted.overlay.whiteout"
_CHUNK = 1 << 20
_SECOND = 1_000_000_000
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
class TarWriter:
    """Writes members of a tar; ``recorder`` notes all but the files' content."""

    write: Write
    recorder: Recorder | None = None
    size: int = 0
    members: int = 0
    _seen: dict[tuple[int, int], str] = field(default_factory=dict)

    def add(self, path: Path, name: str, found: os.stat_result) -> None:
        """Write one file, folder, link or device under a name; sockets are left out."""
        if stat.S_ISSOCK(found.st_mode):
            return  # without its program it is nothing; tar has no kind for it
        info = describe(path, name, found)
        if found.st_nlink > 1 and not info.isdir():
            first = self._seen.setdefault((found.st_dev, found.st_ino), name)
            if first != name:
                info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
        self.add_header(info)
        if info.isreg() and info.size:
            with path.open("rb") as file:
                self.add_content(file, info)

    def add_header(self, info: tarfile.TarInfo) -> None:
        """Write a header and nothing else."""
        self.members += 1
        self._put(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))

    def add_content(self, file: BinaryIO, info: tarfile.TarInfo) -> None:
        """Write as many bytes of a file as its header says; zeros if it has become shorter."""
        # A name that reads as a whiteout has no content when it is unpacked.
        put = self._put if Path(info.name).name.startswith(WHITEOUT) else self.write
        left = info.size
        while left and (chunk := file.read(min(left, _CHUNK))):
            put(chunk)
            left -= len(chunk)
        put(bytes(left))
        self._put(bytes(-info.size % tarfile.BLOCKSIZE))
        self.size += info.size

    def end(self) -> None:
        """Write the end of the archive."""
        self._put(bytes(2 * tarfile.BLOCKSIZE))

    def _put(self, data: bytes) -> None:
        if self.recorder is not None:
            self.recorder.literal(data)
        self.write(data)


def measure(folder: Path, recorder: Recorder | None = None) -> Packed:
    """Return what a layer's folder is called by its content. Blocks while it reads all."""
    digest = hashlib.sha256()
    writer = TarWriter(digest.update, recorder)
    _write(folder, writer)
    if recorder is not None:
        recorder.finish()
    return Packed(
        diff_id=f"sha256:{digest.hexdigest()}", size=writer.size, is_empty=writer.members == 0
    )


def keep_all(_name: str, _found: os.stat_result) -> bool:
    """Leave nothing out."""
    return True


def write_tar(
    folder: Path, write: Write, keep: Keep = keep_all, *, with_root: bool = False
) -> None:
    """Write the layer in ``folder`` as an OCI layer tar, uncompressed.

    ``keep`` is asked with each name and what lstat(2) says of it. ``with_root`` says that
    owner and mode of "/" are the layer's own, too.
    """
    writer = TarWriter(write)
    if with_root:
        writer.add(folder, "./", folder.lstat())
    _write(folder, writer, keep)


def _write(folder: Path, writer: TarWriter, keep: Keep = keep_all) -> None:
    if is_opaque(folder):
        writer.add_header(tarfile.TarInfo(OPAQUE_MARK))
    for path, name, found in walk(folder):
        if is_whiteout(path, found):
            parent, slash, hidden = name.rpartition("/")
            writer.add_header(tarfile.TarInfo(f"{parent}{slash}{WHITEOUT}{hidden}"))
            continue
        if not keep(name, found):
            continue
        writer.add(path, name, found)
        if stat.S_ISDIR(found.st_mode) and is_opaque(path):
            writer.add_header(tarfile.TarInfo(f"{name}/{OPAQUE_MARK}"))
    writer.end()


def walk(folder: Path) -> Iterator[tuple[Path, str, os.stat_result]]:
    """Give all below a folder, each with its name in it, sorted, folders before their content."""
    left = [_sorted(folder, "")]
    while left:
        found = next(left[-1], None)
        if found is None:
            left.pop()
            continue
        yield found
        if stat.S_ISDIR(found[2].st_mode):
            left.append(_sorted(found[0], f"{found[1]}/"))


def _sorted(folder: Path, prefix: str) -> Iterator[tuple[Path, str, os.stat_result]]:
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  (iterdir makes paths to sort)
        path = folder / name
        yield path, prefix + name, path.lstat()


def is_whiteout(path: Path, found: os.stat_result) -> bool:
    """Return whether overlayfs takes this for "nothing here", in either of its forms."""
    if stat.S_ISCHR(found.st_mode):
        return found.st_rdev == 0
    # overlayfs.rst, "Whiteouts and opaque directories": empty files with an attribute.
    is_empty_file = stat.S_ISREG(found.st_mode) and found.st_size == 0
    return is_empty_file and WHITEOUT_MARK in os.listxattr(path, follow_symlinks=False)


def is_opaque(path: Path) -> bool:
    """Return whether a folder hides what is below it; "x" only says that marks are in it."""
    return OPAQUE in os.listxattr(path) and os.getxattr(path, OPAQUE) == b"y"


def describe(path: Path, name: str, found: os.stat_result) -> tarfile.TarInfo:
    """Return the header for a file, with attributes and the time in full."""
    info = tarfile.TarInfo(name)
    info.type = _TYPES[stat.S_IFMT(found.st_mode)]
    info.mode = stat.S_IMODE(found.st_mode)
    info.uid, info.gid = found.st_uid, found.st_gid
    info.mtime, nanoseconds = divmod(found.st_mtime_ns, _SECOND)
    if info.isreg():
        info.size = found.st_size
    elif info.issym():
        info.linkname = str(path.readlink())
    elif info.ischr() or info.isblk():
        info.devmajor, info.devminor = os.major(found.st_rdev), os.minor(found.st_rdev)
    info.pax_headers = _attributes(path)
    if nanoseconds:
        info.pax_headers["mtime"] = f"{info.mtime}.{nanoseconds:09d}"
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
