"""Commands on their way down: sealed, and put into the host's queue as a Celery task."""

import logging
from functools import cache

from celery import current_app
from django.utils import timezone
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from agents.protocol import keys
from agents.protocol.envelope import seal
from agents.protocol.events import ErrorInfo
from apps.core.errors import SetupError, UnavailableError
from apps.hosts import pki
from apps.operations import transitions
from apps.operations.models import Operation, OperationState

logger = logging.getLogger(__name__)

_PUBLISH_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}


def send_if_queued(operation_pk: int) -> bool:
    """Send the operation's command if that was not done; says whether it was done now.

    A dead Redis leaves the operation queued; beat tries again until it expires. A crash
    between sending and noting it sends twice, which agents take without harm.
    """
    operation = Operation.objects.select_related("host", "team").get(pk=operation_pk)
    if operation.state != OperationState.QUEUED:
        return False
    try:
        send_command(operation)
    except UnavailableError as error:
        logger.warning("Operation %s stays queued: %s", operation.uid, error)
        return False
    except SetupError as error:
        why = ErrorInfo(code=error.code, message=error.message, hint="Ask for it anew.")
        transitions.mark_ended_by_panel(operation, OperationState.FAILED, why)
        return False
    return transitions.mark_sent(operation)


def send_command(operation: Operation) -> None:
    """Put the command into the host's queue; raises :class:`UnavailableError`."""
    lifetime = max(1.0, (operation.expires_at - timezone.now()).total_seconds())
    sealed = seal(
        operation.command,
        key=pki.command_key(),
        kind="command",
        sender=keys.PANEL_RECIPIENT,
        recipient=keys.recipient(operation.host.uid),
        lifetime=lifetime,
    )
    try:
        current_app.send_task(
            keys.COMMAND_TASK,
            args=[sealed],
            queue=_host_queue(operation.host.uid),  # type: ignore[arg-type]  # a Queue, too
            expires=lifetime,
            retry_policy=_PUBLISH_POLICY,
        )
    except OperationalError as error:
        raise UnavailableError("Redis does not answer.", hint="See `make status`.") from error


@cache
def _host_queue(uid: str) -> Queue:
    name = keys.queue(uid)
    return Queue(name, Exchange(name, type="direct"), routing_key=name)
