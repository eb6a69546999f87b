"""A host that breaks its own keys makes the receiver deaf to nobody else."""

import pytest

from agents.protocol import keys
from agents.protocol.events import Heartbeat
from apps.operations import inbox
from apps.operations.models import OperationState
from apps.operations.receiver import Receiver
from tests import factories
from tests.apps.operations.test_receiver import send

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("panel_redis_server")]


@pytest.fixture
def hostile(cast, authority):
    return factories.make_host(cast.team, authority)


@pytest.fixture
def operation(cast):
    return factories.make_operation(cast.host, state=OperationState.SENT)


@pytest.fixture
def receiver(cast, hostile, panel_redis_server):
    made = Receiver()
    made.load_hosts()
    yield made
    made.stop(0)


@pytest.mark.parametrize("put_instead", [None, "a list"])
def test_a_stream_that_a_host_broke_holds_up_no_other(
    cast, hostile, operation, receiver, panel_redis_server, put_instead
):
    admin, stream = panel_redis_server.admin(), keys.events(hostile.uid)
    admin.expire(stream, 0)
    if put_instead:
        admin.lpush(stream, put_instead)
    send(panel_redis_server, cast.host, operation)
    assert receiver.read_new(None) == 1
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING


def test_the_receiver_starts_beside_a_broken_stream_and_mends_it(
    cast, hostile, operation, receiver, panel_redis_server
):
    admin, stream = panel_redis_server.admin(), keys.events(hostile.uid)
    admin.expire(stream, 0)
    admin.lpush(stream, "a list")
    later = Receiver()
    later.load_hosts()
    later.drain_pending()
    mine = factories.make_operation(hostile, state=OperationState.SENT)
    send(panel_redis_server, hostile, mine)
    assert later.read_new(None) == 1
    later.stop(0)


def test_a_message_that_is_too_long_is_refused_unread(cast, monkeypatch):
    monkeypatch.setattr(inbox, "MAX_BYTES", 10)
    sealed = factories.seal_event(cast.host, Heartbeat(at=0, load=0, memory_used=0, disk_used=0))
    assert not inbox.receive(cast.host, sealed)
