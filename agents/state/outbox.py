"""Events that wait to be sent: kept in order while Redis is away."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from agents.errors import OutOfSpaceError
from agents.state.database import Database

# Output lines and the like are dropped, oldest first, when this many events wait.
MAX_DROPPABLE = 5000
MAX_IN_MEMORY = 1000


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One unsent event, as JSON of the event itself."""

    number: int
    event: bytes


class Outbox:
    """A bounded queue on disk, first in, first out.

    While the disk is full it goes on in memory, so that the error about the full disk can
    reach the panel.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sent_through = 0
        self._memory: deque[bytes] = deque(maxlen=MAX_IN_MEMORY)

    def put(self, event: bytes, *, droppable: bool) -> None:
        """Append an event. ``droppable`` ones give way, oldest first, when too many wait."""
        if self._memory or not self._put_on_disk(event, droppable):
            self._memory.append(event)

    def _put_on_disk(self, event: bytes, droppable: bool) -> bool:
        try:
            with self._database.writing() as connection:
                connection.execute(
                    "INSERT INTO outbox (event, droppable) VALUES (?, ?)", (event, int(droppable))
                )
        except OutOfSpaceError:
            return False
        return True

    def first(self, count: int) -> tuple[Waiting, ...]:
        """Return the oldest events; those in memory (number 0) come after those on disk."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, event FROM outbox WHERE number > ? ORDER BY number LIMIT ?",
                (self._sent_through, count),
            ).fetchall()
        if rows:
            return tuple(Waiting(number=row[0], event=row[1]) for row in rows)
        return tuple(Waiting(number=0, event=event) for event in islice(self._memory, count))

    def remove(self, sent: Sequence[Waiting]) -> None:
        """Remove these, the oldest events: Redis has them."""
        for item in sent:
            if item.number == 0:
                self._memory.popleft()
        self._sent_through = max(self._sent_through, *(item.number for item in sent), 0)
        with suppress(OutOfSpaceError), self._database.writing() as connection:
            connection.execute("DELETE FROM outbox WHERE number <= ?", (self._sent_through,))

    def trim(self) -> None:
        """Drop the oldest droppable events above the bound."""
        with suppress(OutOfSpaceError), self._database.writing() as connection:
            connection.execute(
                "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox WHERE droppable"
                " ORDER BY number DESC LIMIT -1 OFFSET ?)",
                (MAX_DROPPABLE,),
            )
