"""What a fake container wrote."""

import time

from agents.engines.fake.script import Stream
from agents.protocol.records import LogLine


class Log:
    """Lines in memory; a line's position counts the bytes of all texts up to its end."""

    def __init__(self, container_id: str) -> None:
        self._container_id = container_id
        self._lines: list[LogLine] = []

    @property
    def end(self) -> int:
        """Return the position of the last line, 0 without one."""
        return self._lines[-1].position if self._lines else 0

    def add(self, stream: Stream, text: str) -> None:
        """Append one line."""
        line = LogLine(
            container_id=self._container_id,
            position=self.end + len(text.encode()) + 1,
            previous=self.end,
            at=time.time(),
            stream=stream,
            text=text,
        )
        self._lines.append(line)

    def read(self, *, after: int, before: int, limit: int, newest: bool) -> tuple[LogLine, ...]:
        """Return lines as ``Engine.read_logs`` does."""
        found = [
            line
            for line in self._lines
            if after < line.position and (before == 0 or line.position < before)
        ]
        if newest:
            return tuple(found[max(0, len(found) - limit) :])
        return tuple(found[:limit])
