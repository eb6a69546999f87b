"""The last things that happened in an engine, kept in memory: the same for every engine."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from time import monotonic

from agents.errors import AgentError
from agents.protocol.records import ContainerRecord, EngineEvent, EventKind

logger = logging.getLogger(__name__)

KEPT = 1000
# Ids count on from the time of the start, so that they also grow from one start to the next.
_TICKS = 1_000_000

EventListener = Callable[[EngineEvent], None]
Unsubscribe = Callable[[], None]


class EventRing:
    """A bounded list of events with growing sequence numbers. May be used from any thread.

    Whoever emits never waits: readers come with the last number that they have seen. One
    that comes too late sees a jump in the numbers.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[EngineEvent] = deque(maxlen=kept)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._last = int(time.time() * _TICKS)
        self._closed = False
        self._listeners: list[EventListener] = []
        self._teller: threading.Thread | None = None

    def emit(
        self,
        kind: EventKind,
        action: str,
        id: str,
        *,
        name: str = "",
        labels: Mapping[str, str] | None = None,
        **attributes: str,
    ) -> None:
        """Note that something happened. Never blocks."""
        with self._lock:
            self._last += 1
            event = EngineEvent(
                sequence=self._last,
                at=time.time(),
                kind=kind,
                action=action,
                id=id,
                name=name,
                labels=dict(labels or {}),
                attributes=attributes,
            )
            self._events.append(event)
            self._changed.notify_all()

    def container(self, record: ContainerRecord, action: str, **attributes: str) -> None:
        """Note what happened to a container. Never blocks."""
        self.emit(
            "container",
            action,
            record.id,
            name=record.name,
            labels=record.labels,
            image=record.image,
            **attributes,
        )

    def since(self, sequence: int, limit: int) -> tuple[EngineEvent, ...]:
        """Return at most ``limit`` kept events after a sequence number, oldest first."""
        with self._lock:
            if not self._events or self._events[-1].sequence <= sequence:
                return ()
            # Numbers have no gaps, so the place of the first wanted one is known.
            skipped = max(0, sequence + 1 - self._events[0].sequence)
            return tuple(islice(self._events, skipped, skipped + max(0, limit)))

    @property
    def last(self) -> int:
        """Return the number of the newest event."""
        with self._lock:
            return self._last

    def wait(self, sequence: int, timeout: float | None) -> bool:
        """Block until there is an event after ``sequence``; return whether there is one."""
        deadline = None if timeout is None else monotonic() + timeout
        with self._lock:
            while self._last <= sequence and not self._closed:
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            return self._last > sequence

    def subscribe(self, listener: EventListener) -> Unsubscribe:
        """Call ``listener`` for each event from now on, in order, from a thread of the ring's.

        A listener that is slower than the ring is long misses the oldest. Returns what ends it.
        """
        with self._lock:
            self._listeners.append(listener)
            if self._teller is None:
                start = self._last
                self._teller = threading.Thread(
                    target=self._tell, args=(start,), name="engine-events", daemon=True
                )
                self._teller.start()

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def close(self) -> None:
        """Wake everyone who waits, and end the thread. Idempotent."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
            teller = self._teller
        if teller is not None and teller is not threading.current_thread():
            teller.join()

    def _tell(self, sequence: int) -> None:
        while self.wait(sequence, None):
            for event in self.since(sequence, KEPT):
                sequence = event.sequence
                for listener in tuple(self._listeners):
                    _hand(listener, event)


def _hand(listener: EventListener, event: EngineEvent) -> None:
    try:
        listener(event)
    except AgentError:
        logger.exception("a listener failed on the event %s %s", event.kind, event.action)
