"""What a container wrote, read from the files that conmon keeps.

Each record is a line ``<RFC 3339 time> <stdout|stderr> <F|P> <text>``. P is a piece: conmon
reads 8 KiB at a time, so a line that does not end there goes on in the next record; pieces
are put together here. conmon appends across starts of the same container.

The position of a line is the place of its end, counted from the first byte the container
ever wrote: rotation keeps positions.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from agents.engines.native.containers.log_data import LogData
from agents.protocol.records import LogLine

HOLD = 0.2
LONGEST_LINE = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class LogRange:
    """Which lines: ``after < position``, and ``position < before`` unless that is 0."""

    after: int
    before: int
    limit: int
    newest: bool


def read_lines(container_id: str, data: LogData, wanted: LogRange) -> tuple[LogLine, ...]:
    """Return whole lines of a log by position; see ``Engine.read_logs``.

    Costs what is returned, not what is there. ``after`` should be a line's position; inside a
    line, that line is the first.
    """
    if wanted.limit <= 0 or data.start == data.end:
        return ()
    start, end = _bounds(data, wanted)
    if wanted.newest:
        start = _back(data, start, end, wanted.limit)
    lines = _lines(container_id, data, start, end)
    if wanted.newest:
        return tuple(deque(lines, wanted.limit))
    return tuple(islice(lines, wanted.limit))


def end_position(data: LogData) -> int:
    """Return the position after all that may be read now.

    A piece at the end of a growing log is held back for a moment, as the rest of its line is
    most likely on its way.
    """
    end = data.newline_before(data.end)
    if not data.growing or end == data.start:
        return end
    start = data.newline_before(end - 1)
    record = data.header(start, end)
    if record is None or not record.is_piece or time.time() - _time(record.at) > HOLD:
        return end
    return _line_start(data, start)


def _bounds(data: LogData, wanted: LogRange) -> tuple[int, int]:
    """Return the positions where the first wanted line starts and the last one ends."""
    start = min(max(data.start, wanted.after), data.end)
    if start > data.start:
        start = data.newline_before(start)
    end = end_position(data)
    if wanted.before:
        # A line that ends at ``before`` is not wanted: its newline is the byte before.
        end = data.newline_before(max(data.start, min(end, wanted.before - 1)))
    return start, end


def _line_start(data: LogData, start: int) -> int:
    """Return where the line starts that the record at ``start`` may go on with."""
    record = data.header(start, data.end)
    stream = b"" if record is None else record.stream
    while start > data.start:
        before = data.newline_before(start - 1)
        record = data.header(before, start)
        if record is None or not record.is_piece or record.stream != stream:
            break
        start = before
    return start


def _back(data: LogData, start: int, end: int, count: int) -> int:
    """Return the position ``count`` lines before ``end``, but not before ``start``."""
    for _ in range(count):
        if end <= start:
            break
        end = _line_start(data, data.newline_before(end - 1))
    return max(start, end)


def _lines(container_id: str, data: LogData, start: int, end: int) -> Iterator[LogLine]:
    while start < end:
        stop = data.newline_after(start, end)
        record = data.header(start, stop)
        if record is None:
            start = stop
            continue
        text, is_piece = data.text(record.text, stop - 1), record.is_piece
        if is_piece:
            text, stop, is_piece = _join(data, text, stop, end, record.stream)
        yield LogLine(
            container_id=container_id,
            position=stop,
            previous=start,
            at=_time(record.at),
            stream="stdout" if record.stream == b"stdout" else "stderr",
            text=text.decode(errors="replace"),
            partial=is_piece,
        )
        start = stop


def _join(
    data: LogData, text: bytes, start: int, end: int, stream: bytes
) -> tuple[bytes, int, bool]:
    """Put the pieces from ``start`` on to ``text``.

    Returns the text, where it ends, and whether it is still a piece: its rest is not there
    yet, too long, or has the other stream's output in between.
    """
    pieces, size, is_piece = [text], len(text), True
    while is_piece and start < end and size < LONGEST_LINE:
        stop = data.newline_after(start, end)
        record = data.header(start, stop)
        if record is None or record.stream != stream:
            break
        pieces.append(data.text(record.text, stop - 1))
        size += len(pieces[-1])
        is_piece = record.is_piece
        start = stop
    return b"".join(pieces), start, is_piece


def _time(text: bytes) -> float:
    return datetime.fromisoformat(text.decode()).timestamp()
