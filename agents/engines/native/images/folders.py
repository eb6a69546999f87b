"""Walks the folders below one, by descriptor, so that no name leads out of it.

No symbolic link is ever followed (open(2), O_NOFOLLOW).
"""

import errno
import os
import stat

from agents.errors import InvalidInputError, PathEscapeError

OPAQUE = "trusted.overlay.opaque"
DEEPEST = 256
# Together with the store's own path it stays below what the kernel takes, PATH_MAX.
LONGEST = 3072
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_MODE = 0o755

Parts = tuple[str, ...]


class Folders:
    """The folder at ``root`` and the way down to where one is now; folders are made.

    Raises ``PathEscapeError`` where the way leads through something that is no folder.
    """

    def __init__(self, root: int) -> None:
        self._root = os.dup(root)
        self._names: list[str] = []
        self._fds: list[int] = []

    def close(self) -> None:
        """Close all descriptors."""
        self.leave(0)
        os.close(self._root)

    def enter(self, parts: Parts, *, make: bool = True) -> int:
        """Return the descriptor of a folder, good until the next call.

        Raises FileNotFoundError if it is not there and not to be made.
        """
        same = 0
        for mine, wanted in zip(self._names, parts, strict=False):
            if mine != wanted:
                break
            same += 1
        self.leave(same)
        for name in parts[same:]:
            self._fds.append(open_folder(name, self._here(), make=make))
            self._names.append(name)
        return self._here()

    def leave(self, depth: int) -> None:
        """Go back up to so many folders below the root."""
        while len(self._fds) > depth:
            os.close(self._fds.pop())
            self._names.pop()

    def _here(self) -> int:
        return self._fds[-1] if self._fds else self._root


def split_name(name: str) -> Parts:
    """Return the components of a member's name. Raises ``PathEscapeError``."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise PathEscapeError(f"The archive's member {name[:200]!r} would leave its folder.")
    if len(parts) > DEEPEST or len(name) > LONGEST:
        raise InvalidInputError(
            f"The archive's member {name[:60]!r}… has too long a name:"
            f" at most {LONGEST} characters and {DEEPEST} folders are taken."
        )
    return parts


def open_folder(name: str, parent: int, *, make: bool) -> int:
    """Open a folder, made if need be; one in place of a whiteout hides what is below."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
        make_open_folder(name, parent)
    except OSError as exc:
        if exc.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        found = lstat(name, parent)
        if found is None or not is_whiteout(found):
            raise PathEscapeError(
                f"A member of the archive goes through {name!r}, which is not a folder."
            ) from exc
        os.unlink(name, dir_fd=parent)
        make_open_folder(name, parent)
        make_opaque(name, parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def lstat(name: str, parent: int) -> os.stat_result | None:
    """Return what lstat(2) says of a name in a folder; None if it is not there."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_whiteout(found: os.stat_result) -> bool:
    """Return whether this is what overlayfs takes for "nothing here"."""
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def make_open_folder(name: str, parent: int) -> None:
    """Make a folder that all may enter, whatever our umask is."""
    os.mkdir(name, dir_fd=parent)
    os.chmod(name, _FOLDER_MODE, dir_fd=parent)


def make_opaque(name: str, parent: int) -> None:
    """Have a folder hide what is below it in other layers."""
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        os.setxattr(folder, OPAQUE, b"y")
    finally:
        os.close(folder)
