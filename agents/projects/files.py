"""A project's folder on this host: ``<root>/projects/<name>``.

Only the project's own files are replaced; what its containers keep beside them stays. No
path is followed through a symbolic link, as containers may have made links in the folder.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from agents.errors import InvalidInputError, PathEscapeError
from agents.protocol.records import ProjectFile

NEW = ".{}.webpanel-new"
OLD = ".{}.webpanel-old"
FOLDER_MODE = 0o755
FILE_MODE = 0o644
PROGRAM_MODE = 0o755
FORBIDDEN_PARTS = frozenset({"", ".", ".."})


class ProjectFolder:
    """Puts a set of files in the folder: all of them or none."""

    def __init__(self, root: Path, name: str) -> None:
        if PurePosixPath(name).name != name or name in FORBIDDEN_PARTS:
            raise PathEscapeError(f"“{name}” cannot be a project's name")
        self.path = root / "projects" / name
        self._replaced: list[PurePosixPath] = []
        self._added: list[PurePosixPath] = []

    def apply(self, files: Sequence[ProjectFile], before: Sequence[ProjectFile] = ()) -> None:
        """Write ``files`` and take away those of ``before`` that are not among them.

        What is replaced is kept aside until :meth:`commit` or :meth:`roll_back`. If anything
        fails, the folder is as it was. Files that are the same already are not touched.
        """
        paths = {file.path: checked_path(file.path) for file in (*files, *before)}
        self.path.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        for path in paths.values():
            self._restore(path)
        changed = [file for file in files if not self._holds(file)]
        try:
            for file in changed:
                self._write_aside(file)
            for file in changed:
                self._put(paths[file.path], fresh=True)
            for name in sorted(paths.keys() - {file.path for file in files}):
                self._put(paths[name], fresh=False)
        except OSError:
            self.roll_back()
            raise
        finally:
            for file in changed:
                self._drop(paths[file.path], NEW)

    def commit(self) -> None:
        """Let go of what was replaced."""
        for path in self._replaced:
            self._drop(path, OLD)
        self._replaced, self._added = [], []

    def roll_back(self) -> None:
        """Put back what was there before :meth:`apply`."""
        for path in self._added:
            with suppress(FileNotFoundError), self._parent(path) as parent:
                os.unlink(path.name, dir_fd=parent)
        for path in self._replaced:
            self._restore(path)
        self._replaced, self._added = [], []

    def remove(self, files: Sequence[ProjectFile]) -> None:
        """Remove the given files, and the folder if nothing else is in it. Idempotent."""
        for file in files:
            path = checked_path(file.path)
            # Behind a link that a container made is no file of ours.
            with suppress(FileNotFoundError, PathEscapeError), self._parent(path) as parent:
                os.unlink(path.name, dir_fd=parent)
        folders = {parent for file in files for parent in PurePosixPath(file.path).parents[:-1]}
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            with suppress(OSError, PathEscapeError), self._parent(folder) as parent:
                os.rmdir(folder.name, dir_fd=parent)
        with suppress(OSError):
            self.path.rmdir()

    def make_folder(self, path: Path) -> None:
        """Make a folder for a bind mount inside the project's folder. Idempotent."""
        relative = PurePosixPath(path.relative_to(self.path))
        with self._parent(checked_path(f"{relative}/x"), create=True):
            pass

    def forget(self) -> None:
        """Remove the whole folder with all that is in it. Idempotent."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _holds(self, file: ProjectFile) -> bool:
        path = checked_path(file.path)
        try:
            with self._parent(path) as parent:
                # Containers may have put a FIFO there, at which one waits, or what never ends.
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                handle = os.open(path.name, flags, dir_fd=parent)
                with os.fdopen(handle, "rb") as found:
                    return _is_alike(found, file)
        except OSError:
            return False

    def _write_aside(self, file: ProjectFile) -> None:
        path = checked_path(file.path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with self._parent(path, create=True) as parent:
            name = NEW.format(path.name)
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=parent)
            with os.fdopen(os.open(name, flags, _mode(file), dir_fd=parent), "wb") as out:
                out.write(file.content.encode())
                os.fchmod(out.fileno(), _mode(file))

    def _put(self, path: PurePosixPath, *, fresh: bool) -> None:
        """Move the old file aside and, if ``fresh``, the new one into its place."""
        with self._parent(path) as parent:
            if self._move(parent, path.name, OLD.format(path.name)):
                self._replaced.append(path)
            elif fresh:
                self._added.append(path)
            if fresh:
                self._move(parent, NEW.format(path.name), path.name)

    def _restore(self, path: PurePosixPath) -> None:
        with suppress(FileNotFoundError), self._parent(path) as parent:
            self._move(parent, OLD.format(path.name), path.name)

    def _drop(self, path: PurePosixPath, pattern: str) -> None:
        with suppress(FileNotFoundError), self._parent(path) as parent:
            os.unlink(pattern.format(path.name), dir_fd=parent)

    def _move(self, parent: int, source: str, target: str) -> bool:
        try:
            os.rename(source, target, src_dir_fd=parent, dst_dir_fd=parent)
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _parent(self, path: PurePosixPath, *, create: bool = False) -> Iterator[int]:
        """Open the folder of a file by its parts, none of which may be a link (openat(2))."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self.path, flags)
        try:
            for part in path.parts[:-1]:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(part, FOLDER_MODE, dir_fd=handle)
                inner = os.open(part, flags, dir_fd=handle)
                os.close(handle)
                handle = inner
            yield handle
        except NotADirectoryError as error:
            raise PathEscapeError(
                f"{path} cannot be written: a part of it is a link or no folder",
                file=str(path),
            ) from error
        finally:
            os.close(handle)


def checked_path(path: str) -> PurePosixPath:
    """Return a file's path if it is plain and stays in the folder.

    Raises:
        PathEscapeError: it is absolute or has ``..`` in it.
        InvalidInputError: it is empty or has an unfit character.
    """
    if path.startswith("/") or FORBIDDEN_PARTS & set(path.split("/")):
        raise PathEscapeError(f"“{path}” is no path inside the project's folder", file=path)
    if "\0" in path or path.endswith((".webpanel-new", ".webpanel-old")):
        raise InvalidInputError(f"“{path}” cannot be a file's name", file=path)
    return PurePosixPath(path)


def _is_alike(found: BinaryIO, file: ProjectFile) -> bool:
    content, status = file.content.encode(), os.fstat(found.fileno())
    if (status.st_mode, status.st_size) != (stat.S_IFREG | _mode(file), len(content)):
        return False
    return found.read(len(content) + 1) == content


def _mode(file: ProjectFile) -> int:
    return PROGRAM_MODE if file.executable else FILE_MODE
