"""The files of one log, read as if they were one."""

import mmap
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

NEWLINE = b"\n"

_PIECE = b"P"
_HEADER = re.compile(rb"(\S+) (stdout|stderr) ([FP])(?: |(?=\n))")


class Part(NamedTuple):
    """One file: the positions where it starts and ends, and its bytes."""

    start: int
    end: int
    data: mmap.mmap | bytes


class Header(NamedTuple):
    """What stands before the text of a record, and the position where the text starts."""

    at: bytes
    stream: bytes
    is_piece: bool
    text: int


class LogData:
    """A log by positions, which count from the first byte the container ever wrote.

    Bytes before ``start`` were rotated away. A record lies in one file; a line of several
    pieces may go on in the next. While its container runs a log is ``growing``.
    """

    def __init__(self, start: int, parts: Sequence[Part], *, growing: bool) -> None:
        self.start = start
        self.end = parts[-1].end if parts else start
        self.growing = growing
        self._parts = parts
        self._starts = [part.start for part in parts]

    def newline_after(self, position: int, end: int) -> int:
        """Return where the first line ends between two positions; ``end`` if none does."""
        for part in self._parts[self._index(position) :]:
            if part.start >= end:
                break
            found = part.data.find(
                NEWLINE, max(position, part.start) - part.start, min(end, part.end) - part.start
            )
            if found >= 0:
                return part.start + found + 1
        return end

    def newline_before(self, position: int) -> int:
        """Return where the last line ends before a position; ``start`` if none does."""
        for index in range(self._index(position - 1), -1, -1):
            if index >= len(self._parts):
                break
            part = self._parts[index]
            found = part.data.rfind(NEWLINE, 0, min(position, part.end) - part.start)
            if found >= 0:
                return part.start + found + 1
        return self.start

    def header(self, start: int, stop: int) -> Header | None:
        """Return the beginning of the record at ``start``, None if there is none."""
        if not self._parts:
            return None
        part = self._parts[self._index(start)]
        found = _HEADER.match(part.data, start - part.start, min(stop, part.end) - part.start)
        if found is None:
            return None
        return Header(found[1], found[2], found[3] == _PIECE, part.start + found.end())

    def text(self, start: int, stop: int) -> bytes:
        """Return the bytes between two positions of one file."""
        part = self._parts[self._index(start)]
        return part.data[start - part.start : stop - part.start]

    def _index(self, position: int) -> int:
        """Return which part holds a position, the first for what is before it."""
        return max(0, bisect_right(self._starts, position) - 1)
