"""Operations: asked for, sent, cancelled, retried, lost."""

import base64
from datetime import timedelta

import msgspec
import pytest
from django.db import transaction
from django.utils import timezone

from agents.protocol import keys
from agents.protocol.commands import ReportAll
from agents.protocol.control import AnyControl
from agents.protocol.envelope import unseal
from apps.accounts.models import AuditEntry
from apps.core.errors import ConflictError
from apps.hosts import pki
from apps.hosts.models import Host, HostState
from apps.operations import actions, upkeep
from apps.operations.models import Operation, OperationState
from tests import factories

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("panel_redis_server", "panel_pki")]


def request(cast, **changes) -> Operation:
    return actions.request_operation(
        cast.member,
        host=cast.host,
        command_factory=lambda uid: ReportAll(operation_id=uid),
        verb="report",
        target_kind="host",
        target_uid=cast.host.uid,
        target_name=cast.host.name,
        team=cast.team,
        **changes,
    )


def sent_command(server, host):
    """The envelope in the host's queue, checked as the agent checks it."""
    client = server.admin()
    [task] = client.lrange(keys.queue(host.uid), 0, -1)
    body = msgspec.json.decode(task)["body"]
    [sealed], _, _ = msgspec.json.decode(base64.b64decode(body))
    return unseal(
        sealed,
        key=pki.command_key().public_key(),
        kind="command",
        sender=keys.PANEL_RECIPIENT,
        recipient=keys.recipient(host.uid),
    )


def test_a_request_is_recorded_audited_and_sent_signed(
    cast, panel_redis_server, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        operation = request(cast)
    operation.refresh_from_db()
    assert operation.state == OperationState.SENT
    assert AuditEntry.objects.get(operation_uid=operation.uid).actor == cast.member
    command = msgspec.json.decode(sent_command(panel_redis_server, cast.host).body, type=ReportAll)
    assert command.operation_id == operation.uid


def test_nothing_is_sent_before_the_commit(cast, panel_redis_server):
    with transaction.atomic():
        request(cast)
    assert not panel_redis_server.admin().exists(keys.queue(cast.host.uid))


def test_a_revoked_host_gets_no_operation(cast):
    cast.host.state = HostState.REVOKED
    with pytest.raises(ConflictError, match="removed"):
        request(cast)


def test_an_unsent_operation_is_cancelled_at_once(cast):
    operation = factories.make_operation(cast.host)
    actions.cancel_operation(cast.member, operation)
    assert operation.state == OperationState.CANCELLED
    assert operation.errors[0].message == f"Cancelled by {cast.member} before it was sent."


def test_the_agent_of_a_running_operation_is_told_to_cancel(
    cast, panel_redis_server, django_capture_on_commit_callbacks
):
    operation = factories.make_operation(cast.host, state=OperationState.RUNNING)
    with django_capture_on_commit_callbacks(execute=True):
        actions.cancel_operation(cast.member, operation)
    assert operation.state == OperationState.CANCELLING
    [(_, fields)] = panel_redis_server.admin().xrange(keys.control(cast.host.uid))
    envelope = unseal(
        fields["m"],
        key=pki.command_key().public_key(),
        kind="control",
        sender=keys.PANEL_RECIPIENT,
        recipient=keys.recipient(cast.host.uid),
    )
    assert msgspec.json.decode(envelope.body, type=AnyControl).operation_id == operation.uid


def test_what_has_ended_cannot_be_cancelled(cast):
    operation = factories.make_operation(cast.host, state=OperationState.SUCCEEDED)
    with pytest.raises(ConflictError, match="has succeeded"):
        actions.cancel_operation(cast.member, operation)
    assert not AuditEntry.objects.filter(verb="cancel").exists()


def test_a_retry_is_a_new_operation_with_the_same_command(cast):
    operation = factories.make_operation(cast.host, state=OperationState.FAILED)
    again = actions.retry_operation(cast.member, operation)
    assert (again.retry_of, again.verb) == (operation, operation.verb)
    assert again.command.operation_id == again.uid != operation.uid


def test_a_running_operation_is_not_retried(cast):
    operation = factories.make_operation(cast.host, state=OperationState.RUNNING)
    with pytest.raises(ConflictError, match="not ended"):
        actions.retry_operation(cast.member, operation)


def test_an_operation_whose_lease_ran_out_is_lost(cast):
    past = timezone.now() - timedelta(seconds=1)
    operation = factories.make_operation(
        cast.host, state=OperationState.RUNNING, lease_expires_at=past
    )
    upkeep.end_lost()
    operation.refresh_from_db()
    assert operation.state == OperationState.LOST
    assert "stopped reporting" in operation.errors[0].message


def test_the_operations_of_a_removed_host_end(cast):
    operation = factories.make_operation(cast.host, state=OperationState.RUNNING)
    Host.objects.filter(pk=cast.host.pk).update(state=HostState.REVOKED)
    upkeep.end_orphaned()
    operation.refresh_from_db()
    assert operation.state == OperationState.LOST
    assert "removed from the panel" in operation.errors[0].message


def test_a_command_that_nobody_took_in_time_ends(cast):
    past = timezone.now() - timedelta(seconds=1)
    operation = factories.make_operation(cast.host, state=OperationState.SENT, expires_at=past)
    upkeep.end_expired()
    operation.refresh_from_db()
    assert operation.errors[0].code == "expired"


def test_what_redis_could_not_take_is_sent_later(cast, panel_redis_server):
    operation = factories.make_operation(cast.host)
    upkeep.send_queued()
    operation.refresh_from_db()
    assert operation.state == OperationState.SENT
    assert sent_command(panel_redis_server, cast.host)
