"""Unpacks an archive into a folder of a container that may change it meanwhile.

Nothing is done by a path: each folder is opened from the one above it, without following a
link, and what is made is described by its own descriptor. So a link that is put in the place
of something new leads us nowhere.
"""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.abilities.volumes import Readable
from agents.engines.native.containers.users import find_account
from agents.engines.native.files.view import View
from agents.engines.native.images.folders import DEEPEST, Parts, split_name
from agents.engines.native.images.removal import remove_tree_at
from agents.engines.native.images.streams import Peeked, archive_errors, decompressed
from agents.engines.native.images.tarheader import TarEntry
from agents.engines.native.images.tarstream import TarStream
from agents.errors import ConflictError, InvalidInputError, PathEscapeError
from agents.linux import in_root
from agents.linux.failures import kernel_errors
from agents.linux.idmaps import OVERFLOW

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTRIBUTES = ("user.", "security.capability")
_FOLDER_MODE = 0o755


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Whether folders may take the place of other things, and whose all is (None: as told)."""

    replace: bool
    owner: tuple[int, int] | None = None


def find_owner(view: View, user: str) -> tuple[int, int]:
    """Return the numbers of a user and group of the container. Raises ``InvalidInputError``."""
    found = find_account(Path(f"/proc/self/fd/{view.root}"), user).user
    return found.uid, found.gid


def read_archive(view: View, path: str, source: Readable, rules: Rules) -> None:
    """See :meth:`agents.engines.abilities.files.CopiesFiles.copy_to`."""
    top = in_root.open_folder(view.root, path)
    writer = _Writer(view, rules, top)
    try:
        start = Peeked(source)
        with archive_errors("The archive"), kernel_errors("copy to", path):
            stream = TarStream(decompressed(start, start.beginning), needs_end=True)
            for entry in stream:
                view.check()
                writer.add(entry, stream)
            writer.finish()
    finally:
        writer.leave()
        os.close(top)


@dataclass
class _Writer:
    view: View
    rules: Rules
    top: int
    _way: list[tuple[str, int]] = field(default_factory=list)
    _times: dict[Parts, int] = field(default_factory=dict)

    def add(self, entry: TarEntry, stream: TarStream) -> None:
        parts = split_name(entry.name)
        if not parts:
            # The folder itself; it was there before, and stays as it is.
            return
        if len(parts) > DEEPEST:
            raise InvalidInputError(f"The archive's member {entry.name[:200]!r} is too deep.")
        parent, name = self._enter(parts[:-1]), parts[-1]
        if entry.kind == "folder":
            self._times[parts] = entry.mtime
            self._add_folder(entry, name, parent)
            return
        self._clear(name, parent)
        if entry.kind == "link":
            self._link(entry, name, parent)
        elif entry.kind == "file":
            self._add_file(entry, name, parent, stream)
        elif entry.kind == "symlink":
            os.symlink(entry.target, name, dir_fd=parent)
            os.chown(name, *self._owner(entry), dir_fd=parent, follow_symlinks=False)
            os.utime(name, ns=_times(entry), dir_fd=parent, follow_symlinks=False)
        else:
            self._add_node(entry, name, parent)

    def finish(self) -> None:
        """Set the folders' times, which what is in them has changed."""
        for parts, moment in sorted(self._times.items()):
            with suppress(FileNotFoundError, PathEscapeError):
                os.utime(self._enter(parts, make=False), ns=(moment, moment))

    def leave(self, depth: int = 0) -> None:
        """Go back up to so many folders below the top."""
        while len(self._way) > depth:
            os.close(self._way.pop()[1])

    def _enter(self, parts: Parts, *, make: bool = True) -> int:
        """Return the descriptor of a folder, good until the next call."""
        same = 0
        for (mine, _), wanted in zip(self._way, parts, strict=False):
            if mine != wanted:
                break
            same += 1
        self.leave(same)
        for name in parts[same:]:
            above = self._way[-1][1] if self._way else self.top
            self._way.append((name, self._open(name, above, make=make)))
        return self._way[-1][1] if self._way else self.top

    def _open(self, name: str, parent: int, *, make: bool) -> int:
        try:
            return _open_folder(name, parent)
        except FileNotFoundError:
            if not make:
                raise
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        fd = _open_folder(name, parent)
        os.fchown(fd, *self.view.ids.owner_outside(*(self.rules.owner or (0, 0))))
        os.fchmod(fd, _FOLDER_MODE)
        return fd

    def _add_folder(self, entry: TarEntry, name: str, parent: int) -> None:
        found = _lstat(name, parent)
        if found is not None and not stat.S_ISDIR(found.st_mode):
            self._refuse_or_remove(name, parent, found)
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        fd = _open_folder(name, parent)
        try:
            self._describe(entry, fd)
        finally:
            os.close(fd)

    def _add_file(self, entry: TarEntry, name: str, parent: int, stream: TarStream) -> None:
        fd = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
        try:
            stream.copy_to(entry, fd)
            self._describe(entry, fd)
        finally:
            os.close(fd)

    def _add_node(self, entry: TarEntry, name: str, parent: int) -> None:
        kind = {"fifo": stat.S_IFIFO, "char": stat.S_IFCHR, "block": stat.S_IFBLK}[entry.kind]
        device = 0 if entry.kind == "fifo" else _device(entry)
        os.mknod(name, kind | 0o600, device, dir_fd=parent)
        fd = os.open(name, _LOOK, dir_fd=parent)
        try:
            found = os.fstat(fd)
            if stat.S_IFMT(found.st_mode) != kind or found.st_rdev != device:
                raise ConflictError(f"{entry.name} was changed while it was made")
            path = Path(f"/proc/self/fd/{fd}")
            os.chown(path, *self._owner(entry))
            path.chmod(entry.mode)
            os.utime(path, ns=_times(entry))
        finally:
            os.close(fd)

    def _link(self, entry: TarEntry, name: str, parent: int) -> None:
        target = split_name(entry.target)
        here = os.dup(parent)
        try:
            above = self._enter(target[:-1], make=False)
            os.link(
                target[-1] if target else ".",
                name,
                src_dir_fd=above,
                dst_dir_fd=here,
                follow_symlinks=False,
            )
        except (FileNotFoundError, PermissionError) as exc:
            raise InvalidInputError(
                f"The archive's link {entry.name!r} leads to {entry.target!r}, which is not there."
            ) from exc
        finally:
            os.close(here)

    def _clear(self, name: str, parent: int) -> None:
        found = _lstat(name, parent)
        if found is not None and stat.S_ISDIR(found.st_mode):
            self._refuse_or_remove(name, parent, found)
        elif found is not None:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=parent)

    def _refuse_or_remove(self, name: str, parent: int, found: os.stat_result) -> None:
        if not self.rules.replace:
            raise ConflictError(
                f"{name} is of another kind in the container",
                hint="Remove it there first, or allow that it is replaced.",
            )
        if stat.S_ISDIR(found.st_mode):
            _remove_folder(name, parent)
        else:
            os.unlink(name, dir_fd=parent)

    def _describe(self, entry: TarEntry, fd: int) -> None:
        """Set owner, then mode (chown(2) clears setuid), attributes and time."""
        os.fchown(fd, *self._owner(entry))
        os.fchmod(fd, entry.mode)
        for name, value in (entry.attributes or {}).items():
            if name.startswith(_ATTRIBUTES):
                # Attributes that this file system does not know are lost, as in Docker.
                with suppress(OSError):
                    os.setxattr(fd, name, value)
        os.utime(fd, ns=_times(entry))

    def _owner(self, entry: TarEntry) -> tuple[int, int]:
        uid, gid = self.rules.owner or (entry.uid, entry.gid)
        outside = self.view.ids.owner_outside(uid, gid)
        if OVERFLOW in outside and OVERFLOW not in (uid, gid):
            raise InvalidInputError(
                f"The archive's member {entry.name!r} belongs to {uid}:{gid},"
                " which the container has not.",
                hint="Give what is copied to the container's user.",
            )
        return outside


def _open_folder(name: str, parent: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except OSError as exc:
        if exc.errno in (errno.ENOTDIR, errno.ELOOP):
            raise PathEscapeError(
                f"A member of the archive goes through {name!r}, which is no folder there."
            ) from exc
        raise


def _lstat(name: str, parent: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _remove_folder(name: str, parent: int) -> None:
    with suppress(FileNotFoundError):
        remove_tree_at(name, parent)


def _device(entry: TarEntry) -> int:
    major, minor = entry.device
    if (major, minor) == (0, 0) or major >= 1 << 12 or minor >= 1 << 20:
        raise InvalidInputError(
            f"The archive's device {entry.name!r} has the number {major}:{minor}."
        )
    return os.makedev(major, minor)


def _times(entry: TarEntry) -> tuple[int, int]:
    return entry.mtime, entry.mtime
