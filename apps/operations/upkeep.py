"""What ends operations of which nobody says anything any more; all idempotent."""

from django.db import transaction
from django.utils import timezone

from agents.protocol.events import ErrorInfo
from apps.hosts.models import HostState
from apps.operations import transitions
from apps.operations.models import Operation, OperationState, SeenMessage
from apps.operations.sending import send_if_queued

_ACTIVE = [OperationState.RUNNING, OperationState.CANCELLING]


def send_queued() -> None:
    """Send what could not be sent when it was asked for, as Redis was away."""
    queued = Operation.objects.filter(
        state=OperationState.QUEUED, expires_at__gt=timezone.now()
    ).order_by("id")
    for pk in queued.values_list("pk", flat=True):
        if not send_if_queued(pk):
            return


def end_expired() -> None:
    """Commands that no host took in their time have failed; agents refuse them from then on."""
    unheard = [OperationState.QUEUED, OperationState.SENT]
    rows = Operation.objects.filter(state__in=unheard, expires_at__lte=timezone.now())
    for operation in rows.select_related("team", "host"):
        error = ErrorInfo(
            code="expired",
            message=f"{operation.host.name} did not take this in time.",
            hint="See whether the host is online, then retry.",
        )
        with transaction.atomic():
            transitions.mark_ended_by_panel(operation, OperationState.LOST, error)


def end_lost() -> None:
    """Operations whose agent fell silent are lost; should it still report, its word counts."""
    now = timezone.now()
    running = Operation.objects.filter(state__in=_ACTIVE, lease_expires_at__lte=now)
    # One that was cancelled before the agent took it has no lease, only its lifetime.
    untaken = Operation.objects.filter(
        state__in=_ACTIVE, lease_expires_at=None, expires_at__lte=now
    )
    for operation in (running | untaken).select_related("team", "host"):
        error = ErrorInfo(
            code="lost",
            message=f"The agent on {operation.host.name} stopped reporting about this operation.",
            hint="When the host is online again, see what was done, then retry.",
        )
        with transaction.atomic():
            transitions.mark_ended_by_panel(operation, OperationState.LOST, error)


def end_orphaned() -> None:
    """A host that was removed from the panel reports nothing any more."""
    rows = Operation.objects.filter(host__state=HostState.REVOKED)
    unended = [state.value for state in OperationState if not state.has_ended]
    for operation in rows.filter(state__in=unended).select_related("team", "host"):
        message = f"{operation.host.name} was removed from the panel."
        with transaction.atomic():
            transitions.mark_ended_by_panel(
                operation, OperationState.LOST, ErrorInfo(code="lost", message=message)
            )


def forget_seen_messages() -> None:
    """Drop the ids of messages that have expired."""
    SeenMessage.objects.filter(expires_at__lte=timezone.now()).delete()
