"""Unpacks the tar of a layer into a folder, in the form that overlayfs reads.

A hostile archive cannot write outside: every name is walked from the folder's descriptor,
one component at a time, and no symbolic link is ever followed. Whiteouts and opaque folders
become what overlayfs takes them for; see the OCI image specification, layer.md, and
Documentation/filesystems/overlayfs.rst of the kernel.
"""

import errno
import os
import secrets
import stat
from dataclasses import dataclass
from typing import Protocol

from agents.engines.native.images.folders import (
    OPAQUE,
    Folders,
    Parts,
    is_whiteout,
    lstat,
    make_opaque,
    make_open_folder,
    split_name,
)
from agents.engines.native.images.recipe import WHITEOUT, Recorder
from agents.engines.native.images.removal import remove_tree_at
from agents.engines.native.images.tarheader import TarEntry
from agents.errors import InvalidInputError, OutOfSpaceError, PathEscapeError

META = ".wh..wh."
OPAQUE_MARK = ".wh..wh..opq"
OVERLAY_PREFIX = "trusted.overlay."
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Content(Protocol):
    """Where the content of a regular file comes from."""

    def copy_to(self, entry: TarEntry, fd: int) -> None:
        """Write the entry's content to an open file."""
        ...


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one archive may hold; beyond it is taken for an attack on this host's disk.

    ``spare`` is the share of the file system that stays free, at most ``most_spare`` bytes.
    """

    entries: int = 4_000_000
    spare: float = 0.02
    most_spare: int = 256 << 20
    look_every: int = 64 << 20


class Unpacker:
    """Unpacks one archive member by member into the folder open at ``root``.

    With ``layered`` false, names that begin with ``.wh.`` are plain files. ``size`` counts
    the bytes of the files so far. ``recorder`` is told of files that later members replace.
    Raises ``InvalidInputError``, ``PathEscapeError``, ``OutOfSpaceError``, OSError.
    """

    def __init__(
        self,
        root: int,
        *,
        layered: bool = True,
        recorder: Recorder | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._root = root
        self._layered = layered
        self._recorder = recorder
        self._bounds = bounds or Bounds()
        self._folders = Folders(root)
        self._where = ""
        self._parts: Parts = ()
        self._parent = root
        self._times: dict[Parts, int] = {}
        self._links: set[str] = set()
        self._entries = 0
        # Whether a new file may belong to others than root, as its folder wants it.
        self._inherits = _gives_others(root)
        self._unlooked = self._bounds.look_every
        self.size = 0

    def close(self) -> None:
        """Set the folders' times, which later members have changed, and end."""
        try:
            for parts in sorted(self._times):
                self._set_time(parts, self._times[parts])
        finally:
            self._folders.close()

    def add(self, entry: TarEntry, content: Content | None) -> None:
        """Unpack one member; ``content`` is that of a regular file."""
        self._count(entry)
        where, _, name = entry.name.rstrip("/").rpartition("/")
        if not where or where != self._where or name in _NO_NAMES or "\0" in name:
            name = self._go(entry)
        if not name:
            self._add_root(entry)
        elif self._layered and name.startswith(WHITEOUT):
            self._add_whiteout(entry, name)
        elif entry.kind == "file":
            self._add_file(entry, name, content)
        else:
            self._add_other(entry, name)

    def _go(self, entry: TarEntry) -> str:
        """Enter the folder that holds a member; return the member's own name."""
        parts = split_name(entry.name)
        self._where = ""
        if not parts:
            return ""
        self._parent = self._folders.enter(parts[:-1])
        self._parts = parts[:-1]
        self._where = entry.name.rstrip("/").rpartition("/")[0]
        return parts[-1]

    def _count(self, entry: TarEntry) -> None:
        """Refuse what this host's disk has no room for before it is full."""
        self._entries += 1
        if self._entries > self._bounds.entries:
            raise InvalidInputError(
                f"The archive has more than {self._bounds.entries} members, which nobody needs."
            )
        # Each member takes some room of its own, if only a name.
        self._unlooked += entry.size + 1024
        if self._unlooked >= self._bounds.look_every:
            self._unlooked = 0
            self._look(entry.size)

    def _look(self, wanted: int) -> None:
        found = os.fstatvfs(self._root)
        size = found.f_blocks * found.f_frsize
        spare = min(self._bounds.most_spare, int(size * self._bounds.spare))
        room = found.f_bavail * found.f_frsize - wanted
        if room < spare or found.f_favail < min(found.f_files // 100, 10_000):
            raise OutOfSpaceError(
                "The archive needs more room than this host's disk has.",
                hint="Free some disk space on this host.",
            )

    def _add_root(self, entry: TarEntry) -> None:
        if entry.kind != "folder":
            raise InvalidInputError("The archive's root is not a folder.")
        self._inherits = self._inherits or bool(entry.mode & stat.S_ISGID)
        _describe(entry, ".", self._root)
        if self._recorder is not None:
            self._recorder.own_root()
        self._times[()] = entry.mtime

    def _add_whiteout(self, entry: TarEntry, name: str) -> None:
        if name == OPAQUE_MARK:
            os.setxattr(self._parent, OPAQUE, b"y")
            return
        if name.startswith(META):
            return
        hidden = name.removeprefix(WHITEOUT)
        if hidden in _NO_NAMES:
            raise PathEscapeError(f"The archive's whiteout {entry.name!r} hides nothing.")
        found = lstat(hidden, self._parent)
        if found is None:
            os.mknod(hidden, stat.S_IFCHR, 0, dir_fd=self._parent)
        elif stat.S_ISDIR(found.st_mode):
            make_opaque(hidden, self._parent)

    def _add_file(self, entry: TarEntry, name: str, content: Content | None) -> None:
        try:
            fd = os.open(name, _NEW_FILE, 0o600, dir_fd=self._parent)
        except FileExistsError:
            self._clear(name, lstat(name, self._parent))
            fd = os.open(name, _NEW_FILE, 0o600, dir_fd=self._parent)
        try:
            if content is not None:
                content.copy_to(entry, fd)
            if entry.uid or entry.gid or self._inherits:
                os.fchown(fd, entry.uid, entry.gid)
            # After chown(2), which clears setuid.
            os.fchmod(fd, entry.mode)
            if entry.attributes:
                _set_attributes(entry, f"/proc/self/fd/{fd}", follow=True)
            os.utime(fd, ns=(entry.mtime, entry.mtime))
        finally:
            os.close(fd)
        self.size += entry.real_size

    def _add_other(self, entry: TarEntry, name: str) -> None:
        found = lstat(name, self._parent)
        if entry.kind == "folder":
            self._add_folder(entry, name, found)
            return
        self._clear(name, found)
        if entry.kind == "link":
            self._link(entry, name)
            return
        if entry.kind == "symlink":
            os.symlink(entry.target, name, dir_fd=self._parent)
        else:
            _make_node(entry, name, self._parent)
        _describe(entry, name, self._parent)

    def _add_folder(self, entry: TarEntry, name: str, found: os.stat_result | None) -> None:
        self._times[(*self._parts, name)] = entry.mtime
        self._inherits = self._inherits or bool(entry.mode & stat.S_ISGID)
        hid = found is not None and is_whiteout(found)
        if found is None or not stat.S_ISDIR(found.st_mode):
            self._clear(name, found)
            make_open_folder(name, self._parent)
        if hid:
            make_opaque(name, self._parent)
        _describe(entry, name, self._parent)

    def _clear(self, name: str, found: os.stat_result | None) -> None:
        """Remove what an earlier member has put there."""
        if found is None:
            return
        if stat.S_ISDIR(found.st_mode):
            if self._recorder is not None:
                self._keep_orphans(self._recorder, name)
            remove_tree_at(name, self._parent)
            return
        if self._recorder is not None and stat.S_ISREG(found.st_mode):
            self._keep_orphan(self._recorder, name)
        os.unlink(name, dir_fd=self._parent)

    def _keep_orphans(self, recorder: Recorder, name: str) -> None:
        """Keep the files below a folder that is to go."""
        top = f"/proc/self/fd/{self._parent}/{name}"
        for folder, _, names, _ in os.fwalk(top, follow_symlinks=False):
            for one in names:
                below = f"{name}{folder.removeprefix(top)}/{one}"
                found = lstat(below, self._parent)
                if found is not None and stat.S_ISREG(found.st_mode):
                    self._keep_orphan(recorder, below)

    def _keep_orphan(self, recorder: Recorder, name: str) -> None:
        """Keep a file's content for the recipe, unless the file is but a second link."""
        path = self._path(name)
        if path in self._links:
            self._links.remove(path)
            return
        with os.fdopen(os.open(name, _READ, dir_fd=self._parent), "rb") as file:
            if os.fstat(file.fileno()).st_size:
                recorder.orphan(path, file)

    def _path(self, name: str) -> str:
        return "/".join((*self._parts, name))

    def _link(self, entry: TarEntry, name: str) -> None:
        target = split_name(entry.target)
        here = os.dup(self._parent)
        try:
            folder = self._folders.enter(target[:-1])
            os.link(
                target[-1] if target else ".",
                name,
                src_dir_fd=folder,
                dst_dir_fd=here,
                follow_symlinks=False,
            )
        except (FileNotFoundError, PermissionError) as exc:
            raise InvalidInputError(
                f"The archive's link {entry.name!r} leads to {entry.target!r}, "
                "which is no file of the same layer."
            ) from exc
        finally:
            os.close(here)
        self._links.add(self._path(name))
        # The folder that was entered may be another one now.
        self._where = ""

    def _set_time(self, parts: Parts, moment: int) -> None:
        try:
            folder = self._folders.enter(parts, make=False)
        except (FileNotFoundError, PathEscapeError):
            return  # a later member put something else in its place
        os.utime(folder, ns=(moment, moment))


_NO_NAMES = ("", ".", "..")


def _gives_others(root: int) -> bool:
    """Return whether a file made in a folder is not root's by itself; see mount(8), bsdgroups."""
    name = f".owner-{secrets.token_hex(8)}"
    fd = os.open(name, _NEW_FILE, 0o600, dir_fd=root)
    try:
        found = os.fstat(fd)
    finally:
        os.close(fd)
        os.unlink(name, dir_fd=root)
    return (found.st_uid, found.st_gid) != (0, 0)


def _make_node(entry: TarEntry, name: str, parent: int) -> None:
    if entry.kind == "fifo":
        os.mkfifo(name, 0o600, dir_fd=parent)
        return
    major, minor = entry.device
    if (major, minor) == (0, 0) or major >= 1 << 12 or minor >= 1 << 20:
        raise InvalidInputError(
            f"The archive's device {entry.name!r} has the number {major}:{minor}."
        )
    kind = stat.S_IFCHR if entry.kind == "char" else stat.S_IFBLK
    os.mknod(name, kind | 0o600, os.makedev(major, minor), dir_fd=parent)


def _describe(entry: TarEntry, name: str, parent: int) -> None:
    """Set owner, then mode (chown(2) clears setuid), attributes and time."""
    os.chown(name, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
    if entry.kind != "symlink":
        os.chmod(name, entry.mode, dir_fd=parent)
    if entry.attributes:
        _set_attributes(entry, f"/proc/self/fd/{parent}/{name}", follow=False)
    os.utime(name, ns=(entry.mtime, entry.mtime), dir_fd=parent, follow_symlinks=False)


def _set_attributes(entry: TarEntry, path: str, *, follow: bool) -> None:
    for attribute, value in (entry.attributes or {}).items():
        if attribute.startswith(OVERLAY_PREFIX):
            raise InvalidInputError(f"The archive's member {entry.name!r} forges {attribute}.")
        try:
            os.setxattr(path, attribute, value, follow_symlinks=follow)
        except OSError as exc:
            # Attributes that this file system does not know are lost, as in Docker.
            if exc.errno not in (errno.ENOTSUP, errno.EPERM):
                raise
