"""Where a viewer stands in one container's log: the part that decides, without any I/O.

A :class:`Track` holds one number, the position of the last line it gave out. Lines come
from two places: the container's Redis stream (recent, bounded) and the host itself
(everything that it keeps). Both are read from that same number onwards, so nothing has to
be buffered: what does not follow on is left unread, the hole is fetched from the host,
and the stream is read again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from agents.protocol.control import LogChunk
from agents.protocol.records import LogLine

# Lines of each container that a viewer without a cursor begins with.
TAIL = 500
# Lines that one request to the host may bring.
PAGE = 1000
# Bytes of log after which catching up line by line gives way to a visible gap.
FAR_BEHIND = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Lines that exist no more, or are too many to show: ``start < position <= end``."""

    container_id: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to ask the host for: the fields of ``ReadLogs``."""

    after: int
    before: int = 0
    limit: int = PAGE
    newest: bool = False


Delivery = LogLine | Gap

GONE = "these lines are no longer on the host"
EARLIER_GONE = "earlier lines are no longer on the host"


@dataclass(kw_only=True)
class Track:
    """One container's place in one viewer.

    ``position`` is None until the first lines (or their absence) are known.
    ``wanted`` is what has to be read from the host before the stream is of use again.
    """

    container_id: str
    position: int | None = None
    wanted: Wanted | None = field(default=None, init=False)
    # Where the hole that is being read ends; 0: at the newest line there is.
    _target: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.catch_up()

    @property
    def last_id(self) -> str:
        """The stream id after which to read."""
        return f"{self.position or 0}-0"

    def catch_up(self) -> None:
        """Want all that the host has past our position; a new viewer wants the tail."""
        self._target = 0
        if self.position is None:
            self.wanted = Wanted(after=0, limit=TAIL, newest=True)
        else:
            self.wanted = Wanted(after=self.position)

    def accept_stream(self, lines: Iterable[LogLine]) -> list[Delivery]:
        """Return the lines that follow on; at a hole, stop and want what is missing."""
        delivered: list[Delivery] = []
        for line in lines:
            position = self.position or 0
            if line.position <= position:
                continue
            if line.previous > position:
                self._target = line.previous
                self.wanted = Wanted(after=position, before=line.position)
                break
            self.position = line.position
            delivered.append(line)
        return delivered

    def accept_chunk(self, chunk: LogChunk) -> list[Delivery]:
        """Take the host's answer to ``wanted``, and settle what to want next."""
        wanted, first_read = self.wanted, self.position is None
        if wanted is None:
            return []
        target = self._target or chunk.end
        delivered = [*self._lost_before(chunk), *self._deliver(chunk.lines)]
        if delivered and not chunk.error:
            self.wanted = self._next_wanted(wanted, target)
            return delivered
        self.wanted = None
        if target > (self.position or 0) and not first_read:
            delivered.append(self._gap(target, chunk.error or GONE))
        self.position = max(self.position or 0, target)
        return delivered

    def _deliver(self, lines: Iterable[LogLine]) -> Iterator[Delivery]:
        """Yield new lines, with a gap wherever one does not follow on."""
        for line in lines:
            if self.position is not None:
                if line.position <= self.position:
                    continue
                if line.previous > self.position:
                    yield self._gap(line.previous, self._why_not_next())
            self.position = line.position
            yield line

    def _lost_before(self, chunk: LogChunk) -> Iterator[Gap]:
        """Yield a gap if a log that is shown from its first line has lost its beginning."""
        is_whole = self.position is None and len(chunk.lines) < TAIL
        if is_whole and chunk.lines and chunk.lines[0].previous:
            yield self._gap(chunk.lines[0].previous, EARLIER_GONE)

    def _why_not_next(self) -> str:
        skipped = self.wanted is not None and self.wanted.newest
        return "too many lines to catch up with were skipped" if skipped else GONE

    def _next_wanted(self, wanted: Wanted, target: int) -> Wanted | None:
        position = self.position or 0
        if wanted.newest or position >= target:
            return None
        if target - position > FAR_BEHIND:
            return Wanted(after=position, before=wanted.before, limit=TAIL, newest=True)
        return Wanted(after=position, before=wanted.before)

    def _gap(self, end: int, reason: str) -> Gap:
        return Gap(container_id=self.container_id, start=self.position or 0, end=end, reason=reason)
