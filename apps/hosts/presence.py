"""Whether the panel hears a host: the writer of ``Host.state`` between joining and revoking."""

from datetime import UTC, datetime, timedelta

import msgspec
from django.db import transaction
from django.utils import timezone

from agents.protocol.envelope import MAX_CLOCK_SKEW
from agents.protocol.events import Heartbeat
from agents.protocol.records import HostFacts
from apps.core.live import nudge
from apps.hosts.models import SILENCE, Host, HostState


def note_heartbeat(host: Host, beat: Heartbeat) -> None:
    """The host lives. A beat that is older than the silence, by whichever clock, says nothing."""
    at = datetime.fromtimestamp(beat.at, UTC)
    now = timezone.now()
    if now - at > SILENCE + timedelta(seconds=MAX_CLOCK_SKEW):
        return
    rows = Host.objects.filter(pk=host.pk).exclude(state=HostState.REVOKED)
    rows.update(
        last_seen_at=now,
        load=beat.load,
        memory_used=beat.memory_used,
        disk_used=beat.disk_used,
    )
    away = [HostState.PENDING, HostState.OFFLINE]
    came = Host.objects.filter(pk=host.pk, state__in=away).update(state=HostState.ONLINE)
    nudge(f"host:{host.uid}", *_lists(host, came))


def note_facts(host: Host, facts: HostFacts) -> None:
    """Keep what the agent reports of its machine."""
    text = msgspec.json.encode(facts).decode()
    Host.objects.filter(pk=host.pk).update(facts_json=text)
    nudge(f"host:{host.uid}", f"team:{host.team.uid}")


def mark_silent_hosts_offline(now: datetime | None = None) -> int:
    """Hosts that were not heard for 20 seconds are offline; returns how many went."""
    deadline = (now or timezone.now()) - SILENCE
    silent = Host.objects.filter(state=HostState.ONLINE, last_seen_at__lt=deadline)
    count = 0
    for host in silent.select_related("team"):
        with transaction.atomic():
            guarded = silent.filter(pk=host.pk)
            count += guarded.update(state=HostState.OFFLINE)
            nudge(f"host:{host.uid}", *_lists(host, 1))
    return count


def _lists(host: Host, changed: int) -> tuple[str, ...]:
    return (f"team:{host.team.uid}",) if changed else ()
