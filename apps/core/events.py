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
from typing import TYPE_CHECKING, TypeVar

from agents.protocol.events import Event

if TYPE_CHECKING:
    from apps.hosts.models import Host

EventT = TypeVar("EventT", bound=Event)
Handler = Callable[["Host", EventT], None]

_handlers: dict[type[Event], list[Handler[Event]]] = defaultdict(list)


def handles(kind: type[EventT]) -> Callable[[Handler[EventT]], Handler[EventT]]:
    """Register the decorated function for events of exactly this class."""

    def register(handler: Handler[EventT]) -> Handler[EventT]:
        _handlers[kind].append(handler)  # type: ignore[arg-type]  # dispatch gives it this kind only
        return handler

    return register


def dispatch(host: "Host", event: Event) -> None:
    """Call every handler of the event; what a handler raises is raised."""
    for handler in _handlers[type(event)]:
        handler(host, event)
