"""What a container wrote, read from the file that conmon keeps.

Each record is a line ``<RFC 3339 time> <stdout|stderr> <F|P> <text>``. P is a piece: conmon
reads 8 KiB at a time, so a line that does not end there goes on in the next record; pieces
are put together here. conmon appends across starts of the same container.

The position of a line is the offset of its end, counted from the first byte the container
ever wrote: ``Segment.base`` is what came before the file, so rotation keeps positions.
"""

import mmap
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from agents.linux.failures import kernel_errors
from agents.protocol.records import LogLine

HOLD = 0.2
LONGEST_LINE = 256 * 1024

_NEWLINE = b"\n"
_PIECE = b"P"
_HEADER = re.compile(rb"(\S+) (stdout|stderr) ([FP])(?: |(?=\n))")


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One file of a log, and the position before its first byte.

    While its container runs it is ``growing``: a piece at its end is then held back for a
    moment, as the rest of its line is most likely on its way.
    """

    path: Path
    base: int = 0
    growing: bool = False


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
        start, end = _bounds(data, segment, wanted)
        if wanted.newest:
            start = _back(data, start, end, wanted.limit)
        lines = _lines(container_id, data, segment.base, start, end)
        if wanted.newest:
            return tuple(deque(lines, wanted.limit))
        return tuple(islice(lines, wanted.limit))


def end_position(segment: Segment) -> int:
    """Return the position after all that can be read now."""
    with _mapped(segment.path) as data:
        return segment.base + (0 if data is None else _readable(data, segment))


def file_size(path: Path) -> int:
    """Return the size of a log in bytes, 0 when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


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


def _bounds(data: mmap.mmap, segment: Segment, wanted: LogRange) -> tuple[int, int]:
    """Return the offsets where the first wanted line starts and the last one ends."""
    start = min(max(0, wanted.after - segment.base), len(data))
    if start and data[start - 1 : start] != _NEWLINE:
        start = data.rfind(_NEWLINE, 0, start) + 1
    end = _readable(data, segment)
    if wanted.before:
        # A line that ends at ``before`` is not wanted: its newline is the byte before.
        last = max(0, min(end, wanted.before - segment.base - 1))
        end = data.rfind(_NEWLINE, 0, last) + 1
    return start, end


def _readable(data: mmap.mmap, segment: Segment) -> int:
    """Return the offset after the last record that may be read now."""
    end = data.rfind(_NEWLINE) + 1
    if not segment.growing or end == 0:
        return end
    start = _record_start(data, end)
    record = _HEADER.match(data, start, end)
    if record is None or record[3] != _PIECE or time.time() - _time(record[1]) > HOLD:
        return end
    return _line_start(data, start)


def _record_start(data: mmap.mmap, end: int) -> int:
    """Return where the record starts that ends at ``end``."""
    return data.rfind(_NEWLINE, 0, end - 1) + 1


def _line_start(data: mmap.mmap, start: int) -> int:
    """Return where the line starts that the record at ``start`` may go on with."""
    stream = _stream_of(data, start)
    while start > 0:
        before = _record_start(data, start)
        record = _HEADER.match(data, before, start)
        if record is None or record[3] != _PIECE or record[2] != stream:
            break
        start = before
    return start


def _stream_of(data: mmap.mmap, start: int) -> bytes:
    record = _HEADER.match(data, start)
    return b"" if record is None else record[2]


def _back(data: mmap.mmap, start: int, end: int, count: int) -> int:
    """Return the offset ``count`` lines before ``end``, but not before ``start``."""
    for _ in range(count):
        if end <= start:
            break
        end = _line_start(data, _record_start(data, end))
    return max(start, end)


def _lines(
    container_id: str, data: mmap.mmap, base: int, start: int, end: int
) -> Iterator[LogLine]:
    while start < end:
        stop = data.find(_NEWLINE, start, end) + 1
        record = _HEADER.match(data, start, stop)
        if record is None:
            start = stop
            continue
        text, is_piece = data[record.end() : stop - 1], record[3] == _PIECE
        if is_piece:
            text, stop, is_piece = _join(data, text, stop, end, record[2])
        yield LogLine(
            container_id=container_id,
            position=base + stop,
            previous=base + start,
            at=_time(record[1]),
            stream="stdout" if record[2] == b"stdout" else "stderr",
            text=text.decode(errors="replace"),
            partial=is_piece,
        )
        start = stop


def _join(
    data: mmap.mmap, text: bytes, start: int, end: int, stream: bytes
) -> tuple[bytes, int, bool]:
    """Put the pieces from ``start`` on to ``text``.

    Returns the text, where it ends, and whether it is still a piece: its rest is not there
    yet, too long, or has the other stream's output in between.
    """
    pieces, size, is_piece = [text], len(text), True
    while is_piece and start < end and size < LONGEST_LINE:
        stop = data.find(_NEWLINE, start, end) + 1
        record = _HEADER.match(data, start, stop)
        if record is None or record[2] != stream:
            break
        pieces.append(data[record.end() : stop - 1])
        size += len(pieces[-1])
        is_piece = record[3] == _PIECE
        start = stop
    return b"".join(pieces), start, is_piece


def _time(text: bytes) -> float:
    return datetime.fromisoformat(text.decode()).timestamp()
