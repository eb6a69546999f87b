"""The files of one container's log: the one that conmon writes, and those it wrote before.

A file that is full is renamed to ``output.log.<position of its first byte>``; conmon goes on
writing to it until it is told to open its log anew, so no line is ever between two files.
The position of every byte follows from names and sizes alone, whatever instruction an agent
is killed at. An empty file stands for what was removed.
"""

import mmap
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agents.engines.native.containers.log_data import NEWLINE, LogData, Part
from agents.linux.failures import kernel_errors

_DIGITS = 20


@dataclass(frozen=True, kw_only=True)
class Full:
    """A file that was set aside, and the positions of its beginning and end."""

    path: Path
    start: int
    end: int

    @property
    def size(self) -> int:
        """Return its size in bytes."""
        return self.end - self.start


class LogFiles:
    """One log. May be used from any thread; only one agent at a time sets files aside."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def size(self) -> int | None:
        """Return the size of the file that is written; None when there is none just now."""
        with kernel_errors("look at the log", self.path):
            try:
                return self.path.stat().st_size
            except FileNotFoundError:
                return None

    def mark(self) -> tuple[int, int]:
        """Return what changes with each write and each new file."""
        with self._lock, kernel_errors("look at the log", self.path):
            try:
                status = self.path.stat()
            except FileNotFoundError:
                return (0, sum(one.size for one in self._full_ones()[-1:]))
            return (status.st_ino, status.st_size)

    def _full_ones(self) -> tuple[Full, ...]:
        """Return the files that were set aside, oldest first."""
        prefix = f"{self.path.name}."
        names = [
            entry.name
            for entry in os.scandir(self.path.parent)
            if entry.name.startswith(prefix) and entry.name.removeprefix(prefix).isdecimal()
        ]
        return tuple(self._full(name) for name in sorted(names))

    def _full(self, name: str) -> Full:
        path = self.path.with_name(name)
        start = int(name.rpartition(".")[2])
        return Full(path=path, start=start, end=start + path.stat().st_size)

    @contextmanager
    def opened(self, *, growing: bool) -> Iterator[LogData]:
        """Give the log as it is now, mapped into memory while the block lasts."""
        with ExitStack() as stack:
            with self._lock, kernel_errors("open the log", self.path):
                start, files = self._open(stack)
            parts = [Part(at, at + len(data), data) for at, data in _map(stack, files)]
            yield LogData(start, parts, growing=growing)

    def _open(self, stack: ExitStack) -> tuple[int, list[tuple[int, IO[bytes]]]]:
        """Open all files; return the position of the first byte, and of each file's."""
        current = _open_if_there(self.path)
        if current is not None:
            stack.enter_context(current)
        # Asked after the file above was there: then nobody writes to these any more.
        full = self._full_ones()
        files: list[tuple[int, IO[bytes]]] = []
        files += [(one.start, stack.enter_context(one.path.open("rb"))) for one in full]
        if current is not None:
            files.append((full[-1].end if full else 0, current))
        return (full[0].start if full else 0), files

    def set_aside(self) -> bool:
        """Rename the file that is written; conmon must open its log anew afterwards.

        Returns False when there is none, as conmon has not done so since the last time.
        """
        with self._lock, kernel_errors("rotate the log", self.path):
            if not self.path.exists():
                return False
            full = self._full_ones()
            start = full[-1].end if full else 0
            # One that stands for removed files has this very name, and is replaced.
            self.path.rename(self._name(start))
            return True

    def remove_oldest(self, *, count: int, size: int) -> None:
        """Keep at most ``count`` files set aside, of ``size`` bytes together.

        Nothing is done while conmon may still write to the newest of them.
        """
        with self._lock, kernel_errors("remove old logs", self.path):
            if not self.path.exists():
                return
            full = [one for one in self._full_ones() if one.size]
            total = sum(one.size for one in full)
            while full and (len(full) > count or (total > size and len(full) > 1)):
                gone = full.pop(0)
                total -= gone.size
                if not full:
                    # The positions of what follows are counted from here.
                    self._name(gone.end).touch(mode=0o600)
                gone.path.unlink()

    def _name(self, start: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{start:0{_DIGITS}}")

    def end_last_line(self) -> None:
        """End the last line of a log whose conmon died while writing; makes its file.

        Only while no conmon writes there.
        """
        with self._lock, kernel_errors("open the log", self.path):
            if not self.path.exists():
                for one in self._full_ones()[-1:]:
                    _end_line(one.path)
            _end_line(self.path)


def _end_line(path: Path) -> None:
    with path.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != NEWLINE:
            file.write(NEWLINE)


def _open_if_there(path: Path) -> IO[bytes] | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _map(
    stack: ExitStack, files: Sequence[tuple[int, IO[bytes]]]
) -> Iterator[tuple[int, mmap.mmap]]:
    for start, file in files:
        if os.fstat(file.fileno()).st_size:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            yield start, stack.enter_context(data)
