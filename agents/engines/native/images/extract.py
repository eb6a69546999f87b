"""Unpacks the tar of a layer into a folder, in the form that overlayfs reads.

A hostile archive cannot write outside: every name is walked from the folder's descriptor,
one component at a time, and no symbolic link is ever followed (open(2), O_NOFOLLOW).
Whiteouts and opaque folders become what overlayfs takes them for; see the OCI image
specification, layer.md, and Documentation/filesystems/overlayfs.rst of the kernel.
"""

import errno
import os
import shutil
import stat
from tarfile import TarInfo
from typing import IO

from agents.errors import InvalidInputError, PathEscapeError

WHITEOUT = ".wh."
META = ".wh..wh."
OPAQUE_MARK = ".wh..wh..opq"
OPAQUE = "trusted.overlay.opaque"
OVERLAY_PREFIX = "trusted.overlay."
XATTR_KEY = "SCHILY.xattr."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
_FOLDER_MODE = 0o755


class Unpacker:
    """Unpacks one archive member by member into the folder open at ``root``.

    With ``layered`` false, names that begin with ``.wh.`` are plain files. ``size`` counts
    the bytes of the files so far. Raises ``InvalidInputError``, ``PathEscapeError``, OSError.
    """

    def __init__(self, root: int, *, layered: bool = True) -> None:
        self._root = root
        self._layered = layered
        self._parent: tuple[tuple[str, ...], int] = ((), os.dup(root))
        self._folder_times: dict[tuple[str, ...], int] = {}
        self.size = 0

    def close(self) -> None:
        """Set the folders' times, which later members have changed, and end."""
        try:
            for parts, moment in self._folder_times.items():
                self._set_folder_time(parts, moment)
        finally:
            os.close(self._parent[1])

    def add(self, member: TarInfo, content: IO[bytes] | None) -> None:
        """Unpack one member; ``content`` is that of a regular file."""
        parts = split_name(member.name)
        if not parts:
            self._add_root(member)
        elif self._layered and parts[-1].startswith(WHITEOUT):
            self._add_whiteout(member, parts)
        else:
            self._add_entry(member, parts, content)

    def _add_root(self, member: TarInfo) -> None:
        if not member.isdir():
            raise InvalidInputError("The archive's root is not a folder.")
        _describe(member, ".", self._root)
        self._folder_times[()] = _nanoseconds(member)

    def _add_whiteout(self, member: TarInfo, parts: tuple[str, ...]) -> None:
        parent, name = self._open_parent(parts), parts[-1]
        if name == OPAQUE_MARK:
            os.setxattr(parent, OPAQUE, b"y")
            return
        if name.startswith(META):
            return
        hidden = name.removeprefix(WHITEOUT)
        if hidden in ("", ".", ".."):
            raise PathEscapeError(f"The archive's whiteout {member.name!r} hides nothing.")
        found = _lstat(hidden, parent)
        if found is None:
            os.mknod(hidden, stat.S_IFCHR, 0, dir_fd=parent)
        elif stat.S_ISDIR(found.st_mode):
            _make_opaque(hidden, parent)

    def _add_entry(
        self, member: TarInfo, parts: tuple[str, ...], content: IO[bytes] | None
    ) -> None:
        parent, name = self._open_parent(parts), parts[-1]
        if member.isdir():
            self._folder_times[parts] = _nanoseconds(member)
        hid = self._clear(member, parent, name)
        if member.isdir():
            _make_folder(name, parent, opaque=hid)
        elif member.isreg():
            self.size += _write_file(member, parent, name, content)
        elif member.issym():
            os.symlink(member.linkname, name, dir_fd=parent)
        elif member.islnk():
            return self._link(member, parent, name)
        else:
            _make_node(member, parent, name)
        return _describe(member, name, parent)

    def _clear(self, member: TarInfo, parent: int, name: str) -> bool:
        """Make room for a member; return whether a whiteout was there."""
        found = _lstat(name, parent)
        if found is None:
            return False
        if stat.S_ISDIR(found.st_mode):
            if not member.isdir():
                self._forget_parent()
                shutil.rmtree(name, dir_fd=parent)
            return False
        os.unlink(name, dir_fd=parent)
        return _is_whiteout(found)

    def _link(self, member: TarInfo, parent: int, name: str) -> None:
        target = split_name(member.linkname)
        here = os.dup(parent)
        try:
            folder = self._open_parent(target) if target else here
            os.link(
                target[-1] if target else ".",
                name,
                src_dir_fd=folder,
                dst_dir_fd=here,
                follow_symlinks=False,
            )
        except (FileNotFoundError, PermissionError) as exc:
            raise InvalidInputError(
                f"The archive's link {member.name!r} leads to {member.linkname!r}, "
                "which is no file of the same layer."
            ) from exc
        finally:
            os.close(here)

    def _open_parent(self, parts: tuple[str, ...]) -> int:
        """Return the descriptor of the folder that holds ``parts``, made if need be."""
        wanted = parts[:-1]
        if self._parent[0] != wanted or not wanted:
            opened = self._walk(wanted)
            os.close(self._parent[1])
            self._parent = (wanted, opened)
        return self._parent[1]

    def _forget_parent(self) -> None:
        """Keep no descriptor of a folder that may be gone now, except the one in use."""
        self._parent = (("", ""), self._parent[1])

    def _walk(self, parts: tuple[str, ...]) -> int:
        here = os.dup(self._root)
        try:
            for part in parts:
                below = _open_folder(part, here)
                os.close(here)
                here = below
        except BaseException:
            os.close(here)
            raise
        return here

    def _set_folder_time(self, parts: tuple[str, ...], moment: int) -> None:
        try:
            folder = self._walk(parts)
        except InvalidInputError:
            return  # a later member put something else in its place
        try:
            os.utime(folder, ns=(moment, moment))
        finally:
            os.close(folder)


def split_name(name: str) -> tuple[str, ...]:
    """Return the components of a member's name. Raises ``PathEscapeError``."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise PathEscapeError(f"The archive's member {name!r} would leave its folder.")
    return parts


def _open_folder(name: str, parent: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        _make_open_folder(name, parent)
    except OSError as exc:
        if exc.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        found = _lstat(name, parent)
        if found is None or not _is_whiteout(found):
            raise PathEscapeError(
                f"A member of the archive goes through {name!r}, which is not a folder."
            ) from exc
        os.unlink(name, dir_fd=parent)
        _make_folder(name, parent, opaque=True)
    return os.open(name, _FOLDER, dir_fd=parent)


def _lstat(name: str, parent: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_whiteout(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def _make_open_folder(name: str, parent: int) -> None:
    """Make a folder that all may enter, whatever our umask is."""
    os.mkdir(name, dir_fd=parent)
    os.chmod(name, _FOLDER_MODE, dir_fd=parent)


def _make_folder(name: str, parent: int, *, opaque: bool) -> None:
    if _lstat(name, parent) is None:
        _make_open_folder(name, parent)
    if opaque:
        _make_opaque(name, parent)


def _make_opaque(name: str, parent: int) -> None:
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        os.setxattr(folder, OPAQUE, b"y")
    finally:
        os.close(folder)


def _write_file(member: TarInfo, parent: int, name: str, content: IO[bytes] | None) -> int:
    fd = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
    with os.fdopen(fd, "wb", buffering=0) as file:
        if content is not None:
            shutil.copyfileobj(content, file, _CHUNK)
    return member.size


def _make_node(member: TarInfo, parent: int, name: str) -> None:
    if member.isfifo():
        os.mkfifo(name, 0o600, dir_fd=parent)
    elif member.ischr() or member.isblk():
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        device = os.makedev(member.devmajor, member.devminor)
        if device == 0:
            raise InvalidInputError(f"The archive's device {member.name!r} has the number 0:0.")
        os.mknod(name, kind | 0o600, device, dir_fd=parent)
    else:
        raise InvalidInputError(f"The archive's member {member.name!r} is of an unknown kind.")


def _describe(member: TarInfo, name: str, parent: int) -> None:
    """Set owner, then mode (chown(2) clears setuid), attributes and time."""
    os.chown(name, member.uid, member.gid, dir_fd=parent, follow_symlinks=False)
    if not member.issym():
        os.chmod(name, member.mode & 0o7777, dir_fd=parent)
    _set_attributes(member, f"/proc/self/fd/{parent}/{name}")
    moment = _nanoseconds(member)
    os.utime(name, ns=(moment, moment), dir_fd=parent, follow_symlinks=False)


def _set_attributes(member: TarInfo, path: str) -> None:
    for key, value in member.pax_headers.items():
        if not key.startswith(XATTR_KEY):
            continue
        attribute = key.removeprefix(XATTR_KEY)
        if attribute.startswith(OVERLAY_PREFIX):
            raise InvalidInputError(f"The archive's member {member.name!r} forges {attribute}.")
        try:
            os.setxattr(path, attribute, _raw(value), follow_symlinks=False)
        except OSError as exc:
            # Attributes that this file system does not know are lost, as in Docker.
            if exc.errno not in (errno.ENOTSUP, errno.EPERM):
                raise


def _raw(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _nanoseconds(member: TarInfo) -> int:
    return max(0, int(member.mtime * 1_000_000_000))
