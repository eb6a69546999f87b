"""What agents tell of operations. An agent speaks only of operations on its own host."""

import logging
from datetime import UTC, datetime

from agents.protocol.events import (
    Event,
    Heartbeat,
    MessageRefused,
    OperationFinished,
    OperationOutput,
    OperationProgress,
    OperationStarted,
    OutputLine,
)
from apps.core.events import handles
from apps.core.live import nudge
from apps.core.text import fit
from apps.hosts.models import Host
from apps.operations import refusals, transitions
from apps.operations.models import Operation, OperationLine

logger = logging.getLogger(__name__)

# A build that talks without end, or a host, must not fill the database.
MAX_LINES = 20_000
MAX_TEXT = 8192


@handles(OperationStarted)
def hear_started(host: Host, event: OperationStarted) -> None:
    """The agent took the command."""
    if operation := _operation(host, event):
        transitions.mark_running(operation, _moment(event))


@handles(OperationProgress)
def hear_progress(host: Host, event: OperationProgress) -> None:
    """The agent came a step further."""
    if operation := _operation(host, event):
        transitions.note_progress(operation, event)


@handles(OperationOutput)
def hear_output(host: Host, event: OperationOutput) -> None:
    """New lines; those that are here already are skipped, as are those past the bound."""
    operation = _operation(host, event)
    if operation is None:
        return
    lines = [_keep(operation, line) for line in event.lines if line.seq <= MAX_LINES]
    if lines:
        OperationLine.objects.bulk_create(lines, ignore_conflicts=True)
        nudge(f"operation:{operation.uid}")


def _keep(operation: Operation, line: OutputLine) -> OperationLine:
    last = line.seq == MAX_LINES
    return OperationLine(
        operation=operation,
        seq=line.seq,
        at=line.at,
        stream="step" if last else line.stream,
        service=fit(line.service, 80),
        text=f"No more than {MAX_LINES} lines are kept." if last else fit(line.text, MAX_TEXT),
    )


@handles(OperationFinished)
def hear_finished(host: Host, event: OperationFinished) -> None:
    """The agent says how it ended."""
    if operation := _operation(host, event):
        transitions.mark_finished(operation, event, _moment(event))


@handles(Heartbeat)
def hear_heartbeat(host: Host, event: Heartbeat) -> None:
    """The agent works on these."""
    if event.active_operations:
        transitions.renew_leases(host, event.active_operations)


@handles(MessageRefused)
def hear_refusal(host: Host, event: MessageRefused) -> None:
    """The agent got a message that it does not trust."""
    refusals.record(host, event.reason, event.detail, by_agent=True)


def _operation(host: Host, event: Event) -> Operation | None:
    found = Operation.objects.select_related("team", "host")
    operation = found.filter(uid=event.operation_id, host=host).first()
    if operation is None:
        logger.info("%s speaks of unknown operation %s", host.uid, event.operation_id)
    return operation


def _moment(event: Event) -> datetime:
    return datetime.fromtimestamp(event.at, UTC)
