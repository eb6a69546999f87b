"""What a container wrote, read from the file that conmon keeps.

Each record is a line ``<RFC 3339 time> <stdout|stderr> <F|P> <text>``; P is a piece that
the next record goes on with. conmon appends across starts of the same container. The
position of a line is the offset of its end, counted from the first byte the container ever
wrote: ``Segment.base`` is what came before the file, so rotation keeps positions.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from agents.linux.failures import kernel_errors
from agents.protocol.records import LogLine

_NEWLINE = b"\n"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One file of a log, and the position before its first byte."""

    path: Path
    base: int = 0


@dataclass(frozen=True, kw_only=True)
class LogRange:
    """Which lines: ``after < position``, and ``position < before`` unless that is 0."""

    after: int
    before: int
    limit: int
    newest: bool


def read_lines(container_id: str, segment: Segment, wanted: LogRange) -> tuple[LogLine, ...]:
    """Return whole lines of a log by position; see ``Engine.read_logs``.

    Costs what is returned, not what is there. A missing file has no lines. ``after`` should
    be a line's position; inside a line, that line is the first.
    """
    if wanted.limit <= 0:
        return ()
    with _mapped(segment.path) as data:
        if data is None:
            return ()
        start, end = _bounds(data, segment.base, wanted)
        if wanted.newest:
            start = _back(data, start, end, wanted.limit)
        lines = _lines(container_id, data, segment.base, start, end)
        return tuple(line for line, _ in zip(lines, range(wanted.limit), strict=False))


def end_position(segment: Segment) -> int:
    """Return the position after everything that was written so far."""
    try:
        return segment.base + segment.path.stat().st_size
    except FileNotFoundError:
        return segment.base


def end_last_line(path: Path) -> None:
    """End the last line of a log whose conmon died while writing; creates the file.

    Only while no conmon writes there.
    """
    with kernel_errors("open the log", path), path.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != _NEWLINE:
            file.write(_NEWLINE)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap | None]:
    """Map a file to read; None when it is empty or missing."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        if os.fstat(file.fileno()).st_size == 0:
            yield None
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _bounds(data: mmap.mmap, base: int, wanted: LogRange) -> tuple[int, int]:
    """Return the offsets where the first wanted line starts and the last one ends."""
    start = min(max(0, wanted.after - base), len(data))
    if start and data[start - 1 : start] != _NEWLINE:
        start = data.rfind(_NEWLINE, 0, start) + 1
    # A line that ends at ``before`` is not wanted: its newline is the byte before.
    last = len(data) if wanted.before == 0 else min(len(data), wanted.before - base - 1)
    end = data.rfind(_NEWLINE, 0, max(0, last)) + 1
    return start, end


def _back(data: mmap.mmap, start: int, end: int, count: int) -> int:
    """Return the offset ``count`` lines before ``end``, but not before ``start``."""
    for _ in range(count):
        if end <= start:
            return start
        end = data.rfind(_NEWLINE, start, end - 1) + 1 or start
    return end


def _lines(
    container_id: str, data: mmap.mmap, base: int, start: int, end: int
) -> Iterator[LogLine]:
    while start < end:
        stop = data.find(_NEWLINE, start, end) + 1
        line = _parse(container_id, data[start : stop - 1], base + start, base + stop)
        if line is not None:
            yield line
        start = stop


def _parse(container_id: str, raw: bytes, previous: int, position: int) -> LogLine | None:
    time, _, rest = raw.partition(b" ")
    stream, _, rest = rest.partition(b" ")
    tag, _, text = rest.partition(b" ")
    if stream not in (b"stdout", b"stderr"):
        return None
    name: Literal["stdout", "stderr"] = "stdout" if stream == b"stdout" else "stderr"
    return LogLine(
        container_id=container_id,
        position=position,
        previous=previous,
        at=datetime.fromisoformat(time.decode()).timestamp(),
        stream=name,
        text=text.decode(errors="replace"),
        partial=tag == b"P",
    )
