"""Removes trees of any depth, and counts what the disk gets back."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 512


def remove_tree(path: Path) -> int:
    """Remove a folder with all below it; return the bytes freed. Idempotent. Raises OSError.

    Follows no link. A file that has another name elsewhere frees nothing. Works at any
    depth, as whoever is in a container may make a tree of any: folders are moved up before
    they are emptied, so that no path grows long.
    """
    try:
        parent = os.open(path.parent, _FOLDER)
    except FileNotFoundError:
        return 0
    try:
        return remove_tree_at(path.name, parent)
    except FileNotFoundError:
        return 0
    finally:
        os.close(parent)


def remove_tree_at(name: str, parent: int) -> int:
    """Do as :func:`remove_tree`, in an open folder. Raises FileNotFoundError, too."""
    top = os.open(name, _FOLDER, dir_fd=parent)
    try:
        freed = _Emptier(top).run() + os.fstat(top).st_blocks * _BLOCK
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=parent)
    return freed


class _Emptier:
    def __init__(self, top: int) -> None:
        self._top = top
        self._freed = 0
        self._left: list[str] = []
        # Names that nothing in the tree has.
        self._prefix = f".{secrets.token_hex(16)}."
        self._made = 0

    def run(self) -> int:
        self._clear(self._top)
        while self._left:
            # What somebody else removes meanwhile is gone as well; what stays though it cannot
            # be seen keeps the folder above from going, which is told.
            with suppress(FileNotFoundError):
                self._remove(self._left.pop())
        return self._freed

    def _remove(self, name: str) -> None:
        folder = os.open(name, _FOLDER, dir_fd=self._top)
        try:
            self._clear(folder)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=self._top)

    def _clear(self, folder: int) -> None:
        """Unlink the files of a folder, and move its folders to the top."""
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            with suppress(FileNotFoundError):
                self._take(name, folder)

    def _take(self, name: str, folder: int) -> None:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            self._freed += found.st_blocks * _BLOCK
            self._clear_later(name, folder)
        else:
            os.unlink(name, dir_fd=folder)
            self._freed += found.st_blocks * _BLOCK if found.st_nlink == 1 else 0

    def _clear_later(self, name: str, folder: int) -> None:
        if folder == self._top:
            self._left.append(name)
            return
        self._made += 1
        raised = f"{self._prefix}{self._made}"
        try:
            os.rename(name, raised, src_dir_fd=folder, dst_dir_fd=self._top)
        except OSError as exc:
            if exc.errno != errno.EXDEV:
                raise
            # Of a lower layer (overlayfs.rst, "Renaming directories"), which is never deep.
            self._freed += remove_tree_at(name, folder)
            return
        self._left.append(raised)


def remove_file(path: Path) -> int:
    """Remove a file; return the bytes freed. Idempotent. Raises OSError."""
    try:
        found = path.lstat()
        path.unlink()
    except FileNotFoundError:
        return 0
    return found.st_blocks * _BLOCK if found.st_nlink == 1 else 0
