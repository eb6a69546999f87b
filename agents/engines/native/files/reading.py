"""Writes an archive of what a container has, by descriptors alone.

Each name is opened once, without following a link, and everything is asked of what was
opened (openat(2), O_PATH). What takes its place meanwhile is not looked at.
"""

import os
import stat
import tarfile
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from agents.engines.native.files.view import View
from agents.engines.native.images.pack import TarWriter
from agents.engines.native.images.recipe import Write
from agents.engines.native.images.tarheader import XATTR_KEY
from agents.errors import InvalidInputError
from agents.linux import in_root
from agents.linux.failures import kernel_errors
from agents.linux.idmaps import IdMaps
from agents.protocol.records import PathRecord

Kind = Literal["file", "folder", "link", "device", "fifo", "socket"]

DEEPEST = 256
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_SECOND = 1_000_000_000
# The others are the kernel's or a security module's own, and mean nothing elsewhere.
_ATTRIBUTES = ("user.", "security.capability")
_TYPES = {
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}
_KINDS: dict[int, Kind] = {
    stat.S_IFDIR: "folder",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "link",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


def describe(view: View, path: str, *, follow: bool) -> PathRecord:
    """See :meth:`agents.engines.abilities.files.CopiesFiles.stat_path`."""
    fd = in_root.open_path(view.root, path, follow=follow)
    try:
        return _record(fd, _name(path), view.ids)
    finally:
        os.close(fd)


def write_archive(view: View, path: str, write: Write, *, follow: bool) -> PathRecord:
    """See :meth:`agents.engines.abilities.files.CopiesFiles.copy_from`."""
    fd = in_root.open_path(view.root, path, follow=follow)
    try:
        record = _record(fd, _name(path), view.ids)
        archive = _Archive(TarWriter(_apart(write)), view.ids)
        with kernel_errors("read", path):
            archive.add(fd, record.name)
            archive.writer.end()
    except _WriteFailed as exc:
        raise exc.reason from exc
    finally:
        os.close(fd)
    return record


class _WriteFailed(Exception):
    """Who takes the archive has raised an OSError, which is none of our reading."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _apart(write: Write) -> Write:
    def put(data: bytes) -> None:
        try:
            write(data)
        except OSError as exc:
            raise _WriteFailed(exc) from exc

    return put


def _name(path: str) -> str:
    """Return the last part; "." where the content of a folder is meant."""
    last = path.rstrip("/").rpartition("/")[2]
    return last if last not in ("", "..") else "."


def _record(fd: int, name: str, ids: IdMaps) -> PathRecord:
    found = os.fstat(fd)
    is_link = stat.S_ISLNK(found.st_mode)
    return PathRecord(
        name=name,
        kind=_KINDS[stat.S_IFMT(found.st_mode)],
        size=found.st_size,
        mode=found.st_mode,
        uid=ids.users.inside(found.st_uid),
        gid=ids.groups.inside(found.st_gid),
        modified_at=found.st_mtime,
        link_target=os.readlink("", dir_fd=fd) if is_link else "",
    )


@dataclass
class _Archive:
    """Writes one archive; descriptors of at most ``DEEPEST`` folders are open at a time."""

    writer: TarWriter
    ids: IdMaps

    def __post_init__(self) -> None:
        self._names: dict[tuple[int, int], str] = {}

    def add(self, top: int, name: str) -> None:
        """Write what is open at ``top``, with all below it, under a name."""
        levels = [self._enter(top, name)]
        try:
            while levels:
                found = next(levels[-1], None)
                if found is None:
                    levels.pop()
                    continue
                fd, below = found
                if len(levels) >= DEEPEST:
                    raise InvalidInputError(f"the folder {below[:200]!r} is too deep", field="path")
                levels.append(self._enter(fd, below))
        finally:
            for one in reversed(levels):
                one.close()

    def _enter(self, fd: int, name: str) -> Generator[tuple[int, str], None, None]:
        """Write one entry, and give those in it, if it is a folder, opened."""
        found = os.fstat(fd)
        self._write(fd, name, found)
        if not stat.S_ISDIR(found.st_mode):
            return
        folder = in_root.reopen(fd, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
            for one in names:
                # Gone meanwhile.
                with suppress(FileNotFoundError):
                    below = os.open(one, _LOOK, dir_fd=folder)
                    try:
                        yield below, f"{name}/{one}"
                    finally:
                        os.close(below)
        finally:
            os.close(folder)

    def _write(self, fd: int, name: str, found: os.stat_result) -> None:
        if stat.S_ISSOCK(found.st_mode):
            return
        info = self._header(fd, name, found)
        if found.st_nlink > 1 and not info.isdir():
            first = self._names.setdefault((found.st_dev, found.st_ino), name)
            if first != name:
                info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
        if not info.isreg():
            self.writer.add_header(info)
            return
        # Before its header: a file that cannot be read must not be half in the archive.
        with os.fdopen(in_root.reopen(fd, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            self.writer.add_header(info)
            self.writer.add_content(file, info)

    def _header(self, fd: int, name: str, found: os.stat_result) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.type = _TYPES[stat.S_IFMT(found.st_mode)]
        info.mode = stat.S_IMODE(found.st_mode)
        info.uid = self.ids.users.inside(found.st_uid)
        info.gid = self.ids.groups.inside(found.st_gid)
        info.mtime, nanoseconds = divmod(found.st_mtime_ns, _SECOND)
        headers: dict[str, str] = {}
        if info.isreg():
            info.size = found.st_size
        elif info.issym():
            info.linkname = os.readlink("", dir_fd=fd)
        elif info.ischr() or info.isblk():
            info.devmajor, info.devminor = os.major(found.st_rdev), os.minor(found.st_rdev)
        if info.isreg() or info.isdir():
            headers = _attributes(fd)
        if nanoseconds:
            headers["mtime"] = f"{info.mtime}.{nanoseconds:09d}"
        info.pax_headers = headers
        return info


def _attributes(fd: int) -> dict[str, str]:
    path = f"/proc/self/fd/{fd}"
    kept = {}
    with suppress(OSError):
        for name in os.listxattr(path):
            if name.startswith(_ATTRIBUTES):
                value = os.getxattr(path, name)
                kept[XATTR_KEY + name] = value.decode("utf-8", "surrogateescape")
    return kept
