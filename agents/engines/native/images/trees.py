"""Copies files and folders with all that belongs to them: owners, modes, times, attributes."""

import errno
import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.native.images.extract import OVERLAY_PREFIX
from agents.engines.native.images.folders import DEEPEST
from agents.engines.native.images.removal import remove_tree
from agents.errors import InvalidInputError

Keep = Callable[[str], bool]


def keep_all(_name: str) -> bool:
    """Answer "shall this be copied?" for those who copy everything."""
    return True


@dataclass(kw_only=True)
class TreeCopier:
    """Copies trees into others; what is there already stays, or is replaced by name.

    ``owner`` (uid, gid) and ``mode`` override those of the sources, ``mode`` of files and
    folders. ``keep`` is asked with the path relative to ``base``; a folder that is not kept
    is still made if something in it is, which only happens if it ``has_exceptions``. Links
    are copied, never followed. ``id_base`` is taken from the sources' ids. Raises OSError,
    ``InvalidInputError`` for a tree that is too deep.
    """

    owner: tuple[int, int] | None = None
    mode: int | None = None
    base: Path | None = None
    keep: Keep = keep_all
    has_exceptions: bool = False
    id_base: int = 0
    _links: dict[tuple[int, int], Path] = field(default_factory=dict)
    _depth: int = 0

    def copy(self, source: Path, target: Path) -> None:
        """Copy one file, link, node or folder with its content to exactly ``target``."""
        found = source.lstat()
        if stat.S_ISDIR(found.st_mode):
            self._copy_folder(source, target, found)
        elif self._wanted(source):
            self._copy_file(source, target, found)

    def copy_content(self, source: Path, target: Path) -> None:
        """Copy what is in the folder ``source`` into the folder ``target``, which is there."""
        for path in sorted(source.iterdir()):
            self.copy(path, target / path.name)

    def describe(self, source: Path, target: Path) -> None:
        """Give ``target`` owner, mode, attributes and times of ``source``."""
        self._describe(source, target, source.lstat())

    def _plain(self, number: int) -> int:
        return number - self.id_base if number >= self.id_base else number

    def _wanted(self, source: Path) -> bool:
        return self.base is None or self.keep(source.relative_to(self.base).as_posix())

    def _copy_folder(self, source: Path, target: Path, found: os.stat_result) -> None:
        if not self._wanted(source) and not self._holds_exception(source):
            return
        there = _lstat(target)
        if there is None or not stat.S_ISDIR(there.st_mode):
            if there is not None:
                target.unlink()
            target.mkdir()
        self._depth += 1
        if self._depth > DEEPEST:
            raise InvalidInputError(
                f"{str(source)[:200]} is too deep: {DEEPEST} folders are taken."
            )
        self.copy_content(source, target)
        self._depth -= 1
        self._describe(source, target, found)

    def _holds_exception(self, folder: Path) -> bool:
        return self.has_exceptions and any(self._wanted(path) for path in _below(folder))

    def _copy_file(self, source: Path, target: Path, found: os.stat_result) -> None:
        there = _lstat(target)
        if there is not None:
            _remove(target, there)
        first = self._links.setdefault((found.st_dev, found.st_ino), target)
        if first != target and found.st_nlink > 1:
            os.link(first, target, follow_symlinks=False)
            return
        _make_copy(source, target, found)
        self._describe(source, target, found)

    def _describe(self, source: Path, target: Path, found: os.stat_result) -> None:
        uid, gid = self.owner or (self._plain(found.st_uid), self._plain(found.st_gid))
        os.chown(target, uid, gid, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            # After chown(2), which clears setuid.
            target.chmod(stat.S_IMODE(found.st_mode) if self.mode is None else self.mode)
        _copy_attributes(source, target)
        times = (found.st_atime_ns, found.st_mtime_ns)
        os.utime(target, ns=times, follow_symlinks=False)


def make_folders(path: Path, root: Path, owner: tuple[int, int] = (0, 0)) -> bool:
    """Make a folder and those above it up to ``root``, whatever our umask is.

    They are open to all and ``owner``'s; those that are there stay as they are. Return
    whether any was made. Raises OSError.
    """
    missing = list(itertools.takewhile(lambda one: not one.exists(), _upwards(path, root)))
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(0o755)
        os.chown(folder, *owner)
    return bool(missing)


def remove_empty(*folders: Path) -> None:
    """Remove folders, in this order, in which nothing is; others may put something there."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _upwards(path: Path, root: Path) -> Iterator[Path]:
    while path != root:
        yield path
        path = path.parent


def _below(folder: Path) -> Iterator[Path]:
    left = [folder]
    while left:
        for path in left.pop().iterdir():
            yield path
            if path.is_dir() and not path.is_symlink():
                left.append(path)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _remove(path: Path, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        remove_tree(path)
    else:
        path.unlink()


def _make_copy(source: Path, target: Path, found: os.stat_result) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFREG:
        shutil.copyfile(source, target, follow_symlinks=False)
    elif kind == stat.S_IFLNK:
        target.symlink_to(source.readlink())
    elif kind != stat.S_IFSOCK:
        os.mknod(target, kind | 0o600, found.st_rdev)


def _copy_attributes(source: Path, target: Path) -> None:
    for name in os.listxattr(source, follow_symlinks=False):
        if name.startswith(OVERLAY_PREFIX):
            continue
        value = os.getxattr(source, name, follow_symlinks=False)
        try:
            os.setxattr(target, name, value, follow_symlinks=False)
        except OSError as exc:
            if exc.errno not in (errno.ENOTSUP, errno.EPERM):
                raise
