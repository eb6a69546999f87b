"""Messages that were refused: logged each time, audited once a minute for each cause."""

import logging
from datetime import timedelta

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.hosts.models import Host

logger = logging.getLogger(__name__)
_PAUSE = timedelta(minutes=1)


def record(host: Host, reason: str, detail: str, *, by_agent: bool) -> None:
    """Note that a message of or to this host was refused, and why."""
    verb = "refuse command" if by_agent else "refuse event"
    text = f"{reason}: {detail}" if detail else reason
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
