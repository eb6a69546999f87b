"""The one writer of an operation's state: guarded updates that never go back.

Each returns whether it changed anything; a call that comes late or twice changes nothing.
"""

from datetime import datetime

import msgspec
from django.utils import timezone

from agents.protocol.events import ErrorInfo, OperationFinished, OperationProgress
from apps.core.live import nudge
from apps.core.text import fit
from apps.hosts.models import Host
from apps.operations.models import LEASE, Operation, OperationState


def mark_sent(operation: Operation) -> bool:
    """The command is in the host's queue."""
    return _move(operation, OperationState.SENT, sent_at=timezone.now())


def mark_running(operation: Operation, at: datetime) -> bool:
    """The agent took the command."""
    lease = timezone.now() + LEASE
    return _move(operation, OperationState.RUNNING, started_at=at, lease_expires_at=lease)


def mark_cancelling(operation: Operation) -> bool:
    """Somebody wants it stopped; the agent was or will be told."""
    return _move(operation, OperationState.CANCELLING)


def mark_finished(operation: Operation, event: OperationFinished, at: datetime) -> bool:
    """The agent says how it ended."""
    state = OperationState(event.state)
    errors = msgspec.json.encode(event.errors).decode()
    return _move(operation, state, ended_at=at, errors_json=errors, summary=fit(event.summary, 400))


def mark_ended_by_panel(operation: Operation, state: OperationState, error: ErrorInfo) -> bool:
    """End an operation of which the agent says nothing: cancelled unsent, expired, or lost."""
    errors = msgspec.json.encode([error]).decode()
    return _move(operation, state, ended_at=timezone.now(), errors_json=errors)


def note_progress(operation: Operation, event: OperationProgress) -> bool:
    """Note the step; only while it runs."""
    active = [OperationState.SENT, OperationState.RUNNING, OperationState.CANCELLING]
    rows = Operation.objects.filter(pk=operation.pk, state__in=active)
    changed = rows.update(done=event.done, total=event.total, message=fit(event.message, 400))
    if changed:
        nudge_operation(operation)
    return bool(changed)


def renew_leases(host: Host, uids: tuple[str, ...]) -> None:
    """The host's agent works on these operations."""
    active = [OperationState.RUNNING, OperationState.CANCELLING]
    rows = Operation.objects.filter(host=host, uid__in=uids, state__in=active)
    rows.update(lease_expires_at=timezone.now() + LEASE)


def _move(operation: Operation, state: OperationState, **fields: object) -> bool:
    rows = Operation.objects.filter(pk=operation.pk, state__in=state.states_before())
    changed = rows.update(state=state.value, **fields)
    operation.refresh_from_db()
    if changed:
        nudge_operation(operation)
    return bool(changed)


def nudge_operation(operation: Operation) -> None:
    """Wake the pages that show the operation, its target or the team's lists."""
    target = f"{operation.target_kind}:{operation.target_uid}"
    nudge(f"operation:{operation.uid}", target, f"team:{operation.team.uid}")
