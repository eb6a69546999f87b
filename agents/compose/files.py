"""Where a project's files come from: a mapping in the browser, a folder on a host."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from agents.compose.errors import FileMissingError, FileReadError, FileRefusedError

MAX_FILE_BYTES = 1024 * 1024


class FileReader(Protocol):
    """Reads the text files of one project, and nothing else."""

    def read(self, path: str) -> str:
        """Return the text of ``path``, relative to the project's folder.

        Raises FileMissingError or FileRefusedError; blocks no longer than a disk does.
        """
        ...


class MappingFiles:
    """Files that are already here, by path."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {os.path.normpath(path): text for path, text in files.items()}

    def read(self, path: str) -> str:
        """Return the text; see :class:`FileReader`."""
        wanted = os.path.normpath(path)
        if Path(wanted).is_absolute() or wanted.startswith(".."):
            raise _refuse_escape(path)
        if wanted not in self._files:
            raise _missing(path)
        return self._files[wanted]


class FolderFiles:
    """The files below one folder. A link that leads out of the folder is refused."""

    def __init__(self, root: Path, *, max_bytes: int = MAX_FILE_BYTES) -> None:
        self._root = root.resolve()
        self._max_bytes = max_bytes

    def read(self, path: str) -> str:
        """Return the text; see :class:`FileReader`."""
        target = self._inside(path)
        try:
            # A FIFO or a device must neither block the reader nor be read.
            handle = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise _missing(path) from exc
        except OSError as exc:
            raise FileReadError(path, f"{path} cannot be read: {exc.strerror}") from exc
        with os.fdopen(handle, "rb") as file:
            self._check_plain(path, handle)
            return _decode(path, file.read(self._max_bytes + 1), self._max_bytes)

    def _inside(self, path: str) -> Path:
        try:
            target = (self._root / path).resolve()
        except (OSError, ValueError, RuntimeError) as exc:
            raise FileReadError(path, f"{path} cannot be read") from exc
        if not target.is_relative_to(self._root):
            raise _refuse_escape(path)
        return target

    def _check_plain(self, path: str, handle: int) -> None:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileRefusedError(path, f"{path} is not a plain file")


def _decode(path: str, content: bytes, max_bytes: int) -> str:
    if len(content) > max_bytes:
        raise FileRefusedError(path, f"{path} is larger than {max_bytes // 1024} KiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FileRefusedError(path, f"{path} is not UTF-8 text") from exc


def _missing(path: str) -> FileMissingError:
    return FileMissingError(path, f"{path} is not there", hint="Add the file to the project.")


def _refuse_escape(path: str) -> FileRefusedError:
    return FileRefusedError(
        path,
        f"{path} is outside the project's folder",
        hint="Files of a project must lie inside its folder.",
    )
