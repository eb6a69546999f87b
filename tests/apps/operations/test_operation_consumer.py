"""The live output of an operation, over its websocket."""

import json
import time

import pytest
from channels.db import database_sync_to_async

from agents.protocol.events import OperationFinished, OperationOutput, OutputLine
from apps.core.consumers import NOT_FOUND
from apps.operations import inbox
from apps.operations.models import OperationState
from tests import factories
from tests.websocket import WebSocket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operation(cast):
    return factories.make_operation(cast.host, state=OperationState.SENT)


def client(user, operation) -> WebSocket:
    return WebSocket(f"/ws/operations/{operation.uid}/", user)


async def following(user, operation, after: int) -> WebSocket:
    socket = client(user, operation)
    assert await socket.connect() == 0
    await socket.send(json.dumps({"type": "resume", "after": after}))
    return socket


@database_sync_to_async
def report(operation, *seqs: int) -> None:
    lines = tuple(OutputLine(seq=seq, at=1.5, text=f"line {seq}", service="web") for seq in seqs)
    event = OperationOutput(operation_id=operation.uid, at=time.time(), lines=lines)
    assert inbox.receive(operation.host, factories.seal_event(operation.host, event))


@database_sync_to_async
def finish(operation) -> None:
    event = OperationFinished(operation_id=operation.uid, at=time.time(), state="succeeded")
    assert inbox.receive(operation.host, factories.seal_event(operation.host, event))


def seqs(message: dict) -> list[int]:
    return [line["seq"] for line in message["lines"]]


async def test_a_stranger_is_refused(cast, operation):
    assert await client(cast.stranger, operation).connect() == NOT_FOUND


async def test_lines_and_the_end_arrive_as_they_happen(cast, operation):
    socket = await following(cast.viewer, operation, after=0)
    assert (await socket.receive_json())["state"] == "sent"
    await report(operation, 1, 2)
    message = await socket.receive_json()
    assert message["lines"][0] == {
        "seq": 1,
        "at": 1500.0,
        "service": "web",
        "stream": "step",
        "text": "line 1",
    }
    await finish(operation)
    ended = await socket.receive_json()
    assert (ended["state"], ended["progress"], ended["ended"]) == ("succeeded", 100, True)
    await socket.disconnect()


async def test_a_client_that_comes_back_gets_what_it_lacks_and_no_more(cast, operation):
    await report(operation, 1, 2, 3)
    socket = await following(cast.viewer, operation, after=2)
    assert seqs(await socket.receive_json()) == [3]
    await socket.disconnect()
