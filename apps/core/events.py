"""Which functions hear of which events from the agents.

An app registers in its ``handlers`` module, which is imported when Django is ready::

    @handles(events.ContainerChanged)
    def observe_container(host: Host, event: events.ContainerChanged) -> None: ...

Handlers run in the receiver, in one transaction with the note that the event was received,
in the order in which the host sent its events, and the registration order of the apps. The
same event may come twice. A handler that raises undoes the event's whole transaction.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from agents.protocol.events import Event

# The host's class is apps.hosts.models.Host, which this app must not know.
HostT = TypeVar("HostT")
EventT = TypeVar("EventT", bound=Event)

_handlers: dict[type[Event], list[Callable[..., None]]] = defaultdict(list)


def handles(
    kind: type[EventT],
) -> Callable[[Callable[[HostT, EventT], None]], Callable[[HostT, EventT], None]]:
    """Register the decorated function for events of exactly this class."""

    def register(handler: Callable[[HostT, EventT], None]) -> Callable[[HostT, EventT], None]:
        _handlers[kind].append(handler)
        return handler

    return register


def dispatch(host: object, event: Event) -> None:
    """Call every handler of the event; what a handler raises is raised."""
    for handler in _handlers[type(event)]:
        handler(host, event)
