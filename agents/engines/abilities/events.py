"""What happens in an engine, told one by one."""

from typing import Protocol, runtime_checkable

from agents.engines.event_ring import EventListener, Unsubscribe
from agents.protocol.records import EngineEvent


@runtime_checkable
class TellsEvents(Protocol):
    """An engine that tells what happens in it, with Docker's names of events.

    Events are kept in memory, at least the last thousand. Their sequence numbers grow by one
    each time, also over a restart of the agent by at least one; so a first event with a
    greater number than the one after the last seen tells that some were missed.
    """

    def events_since(self, sequence: int, *, limit: int = 500) -> tuple[EngineEvent, ...]:
        """Return at most ``limit`` events after ``sequence`` (0: all kept), oldest first."""
        ...

    def last_event(self) -> int:
        """Return the number of the newest event, to begin from with :meth:`events_since`."""
        ...

    def wait_events(self, sequence: int, *, timeout: float) -> bool:
        """Block until there is an event after ``sequence`` or ``timeout`` seconds have passed.

        Returns whether there is one.
        """
        ...

    def subscribe_events(self, listener: EventListener) -> Unsubscribe:
        """Call ``listener`` for each event from now on, from a thread of the engine's.

        Never holds up the engine: a slow listener misses events. Call what is returned to end.
        """
        ...
