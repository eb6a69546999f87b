"""Events: what happens in the engine, told one by one."""

from agents.engines.base import Engine
from agents.engines.event_ring import EventListener, Unsubscribe
from agents.engines.native.parts import Parts
from agents.protocol.records import EngineEvent


class EventActs(Engine):
    """The engine's part for events."""

    _parts: Parts

    def events_since(self, sequence: int, *, limit: int = 500) -> tuple[EngineEvent, ...]:
        """See :meth:`agents.engines.abilities.events.TellsEvents.events_since`."""
        return self._parts.events.since(sequence, limit)

    def last_event(self) -> int:
        """See :meth:`agents.engines.abilities.events.TellsEvents.last_event`."""
        return self._parts.events.last

    def wait_events(self, sequence: int, *, timeout: float) -> bool:
        """See :meth:`agents.engines.abilities.events.TellsEvents.wait_events`."""
        return self._parts.events.wait(sequence, timeout)

    def subscribe_events(self, listener: EventListener) -> Unsubscribe:
        """See :meth:`agents.engines.abilities.events.TellsEvents.subscribe_events`."""
        return self._parts.events.subscribe(listener)
