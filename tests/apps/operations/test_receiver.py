"""The receiver reads all hosts' streams, with a real Redis."""

import time

import pytest
from django.db import OperationalError

from agents.protocol import keys
from agents.protocol.events import OperationStarted
from apps.hosts import redis_users
from apps.operations import inbox
from apps.operations.models import OperationState
from apps.operations.receiver import CONSUMER, GROUP, LOCK, Receiver
from tests import factories

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("panel_redis_server")]


@pytest.fixture
def operation(cast):
    return factories.make_operation(cast.host, state=OperationState.SENT)


@pytest.fixture
def receiver(cast, panel_redis_server):
    made = Receiver()
    made.load_hosts()
    yield made
    made.stop(0)


def send(server, host, operation) -> str:
    event = OperationStarted(operation_id=operation.uid, at=time.time())
    return server.admin().xadd(keys.events(host.uid), {"m": factories.seal_event(host, event)})


def test_an_event_is_handled_once_and_leaves_the_stream(
    cast, operation, receiver, panel_redis_server
):
    send(panel_redis_server, cast.host, operation)
    assert receiver.read_new(None) == 1
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING
    assert receiver.read_new(None) == 0
    assert panel_redis_server.admin().xlen(keys.events(cast.host.uid)) == 0


def test_what_a_dead_worker_had_read_is_handled_first(
    cast, operation, receiver, panel_redis_server
):
    send(panel_redis_server, cast.host, operation)
    stream = keys.events(cast.host.uid)
    panel_redis_server.admin().xreadgroup(GROUP, CONSUMER, {stream: ">"})
    assert receiver.read_new(None) == 0
    receiver.drain_pending()
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING


def test_a_message_that_is_nonsense_does_not_stop_the_next(
    cast, operation, receiver, panel_redis_server
):
    panel_redis_server.admin().xadd(keys.events(cast.host.uid), {"m": "nonsense"})
    send(panel_redis_server, cast.host, operation)
    assert receiver.read_new(None) == 2
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING


def test_a_host_that_joins_later_is_heard(cast, authority, receiver, panel_redis_server):
    later = factories.make_host(cast.team, authority)
    operation = factories.make_operation(later, state=OperationState.SENT)
    send(panel_redis_server, later, operation)
    redis_users.wake_receiver()
    receiver.read_new(None)
    receiver.read_new(None)
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING


def test_only_one_receiver_reads_at_a_time(receiver, panel_redis_server):
    other = Receiver()
    assert receiver.hold_lock()
    assert not other.hold_lock()
    panel_redis_server.admin().delete(LOCK)
    assert other.hold_lock()
    assert not receiver.hold_lock()
    other.stop(0)


def test_an_event_that_cannot_be_handled_is_dropped_and_the_next_is_not(
    cast, operation, receiver, panel_redis_server, monkeypatch
):
    real, calls = inbox.receive, []

    def fail_once(host, sealed):
        calls.append(sealed)
        if len(calls) == 1:
            raise KeyError("a mistake in a handler")
        return real(host, sealed)

    monkeypatch.setattr(inbox, "receive", fail_once)
    for _ in range(2):
        send(panel_redis_server, cast.host, operation)
    assert receiver.read_new(None) == 2
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING


def test_an_event_that_the_database_could_not_take_comes_again(
    cast, operation, receiver, panel_redis_server, monkeypatch
):
    def locked(host, sealed):
        raise OperationalError("database is locked")

    send(panel_redis_server, cast.host, operation)
    with monkeypatch.context() as patch:
        patch.setattr(inbox, "receive", locked)
        with pytest.raises(OperationalError):
            receiver.read_new(None)
    receiver.drain_pending()
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING
