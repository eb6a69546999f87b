"""Messages that were refused: logged each time, audited once a minute for each cause."""

import logging
from datetime import timedelta
from typing import get_args

from django.utils import timezone

from agents.protocol.envelope import RefusalReason
from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.hosts.models import Host

logger = logging.getLogger(__name__)
_PAUSE = timedelta(minutes=1)
# Hosts tell reasons, too; one of their own would not be the same as the one before.
_REASONS = frozenset(get_args(RefusalReason))


def record(host: Host, reason: str, detail: str, *, by_agent: bool) -> None:
    """Note that a message of or to this host was refused, and why."""
    verb = "refuse command" if by_agent else "refuse event"
    reason = reason if reason in _REASONS else "other"
    # On one line of the log, whatever a host writes.
    text = " ".join(f"{reason}: {detail}".split())[:400] if detail else reason
    logger.warning("%s of host %s: %s", verb, host.uid, text)
    recent = AuditEntry.objects.filter(
        verb=verb,
        target_uid=host.uid,
        detail__startswith=reason,
        at__gt=timezone.now() - _PAUSE,
    )
    if not recent.exists():
        target = audit.Target(kind="host", uid=host.uid, name=host.name)
        audit.record(verb, target, team=host.team, detail=text)
