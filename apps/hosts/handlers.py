"""What hosts tell of themselves."""

from agents.protocol.events import Heartbeat, HostReport
from apps.core.events import handles
from apps.hosts import presence
from apps.hosts.models import Host


@handles(Heartbeat)
def hear_heartbeat(host: Host, event: Heartbeat) -> None:
    """The host lives."""
    presence.note_heartbeat(host, event)


@handles(HostReport)
def hear_report(host: Host, event: HostReport) -> None:
    """The machine is this."""
    presence.note_facts(host, event.facts)
