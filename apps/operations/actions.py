"""Ask for an act on a host, cancel it, try it again."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec
from django.db import transaction
from django.utils import timezone

from agents.protocol.commands import Command
from agents.protocol.control import CancelOperation
from agents.protocol.events import ErrorInfo
from apps.accounts import audit
from apps.accounts.models import Team, User
from apps.core.errors import ConflictError
from apps.core.ids import new_uid
from apps.hosts.models import Host, HostState
from apps.operations import transitions
from apps.operations.control import send_control
from apps.operations.models import Operation, OperationState
from apps.operations.retrying import follow_retry
from apps.operations.sending import send_if_queued

LIFETIME = timedelta(hours=24)


def request_operation(
    user: User | None,
    *,
    host: Host,
    command_factory: Callable[[str], Command],
    verb: str,
    target_kind: str,
    target_uid: str,
    target_name: str,
    team: Team,
    lifetime: timedelta = LIFETIME,
    ip: str = "",
    retry_of: Operation | None = None,
) -> Operation:
    """Record the act and send it once the transaction commits.

    The caller has checked the user's rights; None is the panel itself. ``command_factory``
    gets the operation's uid. The command waits up to ``lifetime`` for a host that is away.
    Raises :class:`ConflictError` for a revoked host.
    """
    if host.state == HostState.REVOKED:
        raise ConflictError(f"{host.name} was removed from the panel.")
    uid = new_uid()
    with transaction.atomic():
        operation = Operation(
            uid=uid,
            team=team,
            host=host,
            verb=verb,
            target_kind=target_kind,
            target_uid=target_uid,
            target_name=target_name[:160],
            requested_by=user,
            requested_by_name=str(user) if user else "panel",
            retry_of=retry_of,
            expires_at=timezone.now() + lifetime,
        )
        operation.keep_command(command_factory(uid))
        operation.save()
        _audit(verb, operation, user, ip)
        transitions.nudge_operation(operation)
        transaction.on_commit(partial(send_if_queued, operation.pk))
    return operation


def cancel_operation(user: User, operation: Operation, *, ip: str = "") -> Operation:
    """Stop an operation: at once if the host has not taken it, else at its next safe point.

    Raises :class:`ConflictError` if it has ended.
    """
    request = CancelOperation(operation_id=operation.uid)
    with transaction.atomic():
        operation.refresh_from_db(from_queryset=Operation.objects.select_for_update())
        _audit("cancel", operation, user, ip)
        if operation.state == OperationState.QUEUED:
            # It may be on its way this very moment: the agent keeps cancels that come first.
            send = partial(send_control, operation.host, request)
            transaction.on_commit(send, robust=True)
            why = ErrorInfo(code="cancelled", message=f"Cancelled by {user} before it was sent.")
            changed = transitions.mark_ended_by_panel(operation, OperationState.CANCELLED, why)
        else:
            changed = transitions.mark_cancelling(operation)
            transaction.on_commit(partial(send_control, operation.host, request))
        if not changed:
            raise ConflictError(f"This operation has {operation.state_choice.label.lower()}.")
    return operation


def retry_operation(user: User, operation: Operation, *, ip: str = "") -> Operation:
    """Ask for the same act again, as a new operation.

    Raises :class:`ConflictError` for one that has not ended, or where the same would not mean
    the same any more, see :mod:`apps.operations.retrying`.
    """
    if not operation.has_ended:
        raise ConflictError("This operation has not ended yet.", hint="Cancel it first.")
    with transaction.atomic():
        again = request_operation(
            user,
            host=operation.host,
            command_factory=partial(_same_command, operation),
            verb=operation.verb,
            target_kind=operation.target_kind,
            target_uid=operation.target_uid,
            target_name=operation.target_name,
            team=operation.team,
            ip=ip,
            retry_of=operation,
        )
        follow_retry(operation, again)
    return again


def _same_command(operation: Operation, uid: str) -> Command:
    return msgspec.structs.replace(operation.command, operation_id=uid)


def _audit(verb: str, operation: Operation, user: User | None, ip: str) -> None:
    target = audit.Target(
        kind=operation.target_kind, uid=operation.target_uid, name=operation.target_name
    )
    audit.record(verb, target, team=operation.team, actor=user, ip=ip, operation_uid=operation.uid)
