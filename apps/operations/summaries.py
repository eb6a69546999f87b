"""What the pages of operations show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from agents.protocol.events import ErrorInfo
from apps.accounts.models import User
from apps.operations.access import operations_for
from apps.operations.models import Operation, OperationState
from apps.operations.targets import link_to

PAGE_SIZE = 50
STATES = {
    "active": [
        OperationState.QUEUED,
        OperationState.SENT,
        OperationState.RUNNING,
        OperationState.CANCELLING,
    ],
    "failed": [OperationState.FAILED, OperationState.LOST],
    "done": [OperationState.SUCCEEDED, OperationState.CANCELLED],
}


@dataclass(frozen=True, kw_only=True)
class OperationRow:
    """An operation as lists show it; ``duration`` is in words, "" before it began."""

    uid: str
    title: str
    state: OperationState
    target_url: str
    target_name: str
    target_kind: str
    host_uid: str
    host_name: str
    requested_by: str
    created_at: datetime
    duration: str
    percent: int
    message: str


@dataclass(frozen=True, kw_only=True)
class OperationPage:
    """One operation with all that its page shows; the first error is in the live output."""

    row: OperationRow
    started_at: datetime | None
    ended_at: datetime | None
    further_errors: tuple[ErrorInfo, ...]
    summary: str
    retry_of: str
    may_cancel: bool
    may_retry: bool


@dataclass(frozen=True, kw_only=True)
class OperationList:
    """One page of operations; ``older`` continues after the last, or is None at the end."""

    rows: tuple[OperationRow, ...]
    state: str
    older: int | None


def operation_row(operation: Operation) -> OperationRow:
    """Return an operation as lists show it; the host must have been fetched with it."""
    return OperationRow(
        uid=operation.uid,
        title=operation.verb.capitalize(),
        state=operation.state_choice,
        target_url=link_to(operation.target_kind, operation.target_uid),
        target_name=operation.target_name,
        target_kind=operation.target_kind,
        host_uid=operation.host.uid,
        host_name=operation.host.name,
        requested_by=operation.requested_by_name,
        created_at=operation.created_at,
        duration=_duration(operation),
        percent=operation.percent,
        message=operation.message,
    )


def operation_rows(operations: Iterable[Operation]) -> tuple[OperationRow, ...]:
    """Return operations as lists show them."""
    return tuple(operation_row(operation) for operation in operations)


def operation_list(user: User, query: Mapping[str, str]) -> OperationList:
    """Read ``?state=active|failed|done&before=`` and return that page."""
    state = query.get("state", "")
    rows = _wanted(operations_for(user), state, query.get("before", ""))
    found = list(rows.order_by("-id")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    older = shown[-1].pk if len(found) > PAGE_SIZE else None
    return OperationList(rows=operation_rows(shown), state=state, older=older)


def operation_page(operation: Operation, *, may_write: bool) -> OperationPage:
    """Return what an operation's page shows."""
    return OperationPage(
        row=operation_row(operation),
        started_at=operation.started_at,
        ended_at=operation.ended_at,
        further_errors=operation.errors[1:],
        summary=operation.summary,
        retry_of=operation.retry_of.uid if operation.retry_of else "",
        may_cancel=may_write
        and not operation.has_ended
        and operation.state != OperationState.CANCELLING,
        may_retry=may_write and operation.has_ended and operation.state != OperationState.SUCCEEDED,
    )


def _wanted(rows: QuerySet[Operation], state: str, before: str) -> QuerySet[Operation]:
    if state in STATES:
        rows = rows.filter(state__in=STATES[state])
    if before.isdecimal() and len(before) < 18:
        rows = rows.filter(pk__lt=int(before))
    return rows


def _duration(operation: Operation) -> str:
    if not operation.started_at or not operation.ended_at:
        return ""
    taken = max(operation.ended_at - operation.started_at, timedelta())
    seconds = taken.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
