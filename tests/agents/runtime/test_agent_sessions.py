"""Following and reading logs through a real Redis."""

import statistics
import time

import msgspec
import pytest

from agents.protocol import keys
from agents.protocol.control import CancelOperation, FollowLogs, LogChunk, ReadLogs
from agents.protocol.events import ContainerChanged, Inventory, MessageRefused
from agents.protocol.records import LogLine
from tests.agents.runtime.agent_process import AgentProcess
from tests.agents.runtime.messages import deploy, new_id
from tests.agents.runtime.panel_side import PanelSide
from tests.waiting import wait_until

pytestmark = pytest.mark.redis

CHATTY = """\
services:
  web:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; echo one; echo two; while :; do echo tick; sleep 0.05; done"
"""


def running_container(panel: PanelSide, text: str = CHATTY) -> str:
    panel.finish(deploy(text))
    event = panel.wait_for(ContainerChanged, lambda one: one.container.state == "running")
    return event.container.id


def stream_of(panel: PanelSide, container_id: str) -> list[tuple[str, LogLine]]:
    entries = panel.redis.xrange(keys.log(panel.uid, container_id))
    return [(entry, msgspec.json.decode(fields["l"], type=LogLine)) for entry, fields in entries]


def is_quiet(panel: PanelSide, stream: str) -> bool:
    """Return whether no line comes for longer than the container pauses."""
    return not panel.redis.xread({stream: "$"}, block=400)


def answer(panel: PanelSide, request: ReadLogs) -> LogChunk:
    panel.ask(request)
    stream = keys.reply(panel.uid, request.request_id)
    found = panel.redis.xread({stream: "0"}, block=10_000)
    return msgspec.json.decode(found[0][1][0][1]["chunk"], type=LogChunk)


def test_followed_lines_come_without_a_gap_and_under_their_position(agent: AgentProcess):
    container_id = running_container(agent.panel)
    agent.panel.ask(FollowLogs(container_id=container_id))
    wait_until(lambda: len(stream_of(agent.panel, container_id)) > 10, "ten lines")
    entries = stream_of(agent.panel, container_id)
    lines = [line for _, line in entries]
    assert [line.text for line in lines][:2] == ["one", "two"]
    assert [entry for entry, _ in entries] == [f"{line.position}-0" for line in lines]
    assert [line.previous for line in lines[1:]] == [line.position for line in lines[:-1]]


def test_asking_again_renews_the_lease_and_doubles_nothing(agent: AgentProcess):
    container_id = running_container(agent.panel)
    for _ in range(3):
        agent.panel.ask(FollowLogs(container_id=container_id))
    wait_until(lambda: len(stream_of(agent.panel, container_id)) > 10, "ten lines")
    positions = [line.position for _, line in stream_of(agent.panel, container_id)]
    assert positions == sorted(set(positions))


def test_it_stops_when_the_lease_ends(agent: AgentProcess):
    container_id = running_container(agent.panel)
    agent.panel.ask(FollowLogs(container_id=container_id, lease=0.2))
    stream = keys.log(agent.panel.uid, container_id)
    wait_until(lambda: agent.panel.redis.exists(stream) == 1, "the first lines")

    wait_until(lambda: is_quiet(agent.panel, stream), "the end of the lines")
    assert 0 < agent.panel.redis.ttl(stream) <= 62


def test_a_new_follower_goes_on_where_the_stream_ends(agent: AgentProcess):
    container_id = running_container(agent.panel)
    stream = keys.log(agent.panel.uid, container_id)
    agent.panel.ask(FollowLogs(container_id=container_id, lease=0.2))
    wait_until(lambda: agent.panel.redis.exists(stream) == 1, "the first lines")
    wait_until(lambda: is_quiet(agent.panel, stream), "the end of the lease")
    agent.panel.ask(FollowLogs(container_id=container_id, tail=1))
    count = agent.panel.redis.xlen(stream)
    wait_until(lambda: agent.panel.redis.xlen(stream) > count + 20, "more lines")
    lines = [line for _, line in stream_of(agent.panel, container_id)]
    assert [line.previous for line in lines[1:]] == [line.position for line in lines[:-1]]


def test_it_reads_lines_that_are_already_written(agent: AgentProcess):
    container_id = running_container(agent.panel)
    agent.panel.ask(FollowLogs(container_id=container_id))
    wait_until(lambda: len(stream_of(agent.panel, container_id)) > 5, "five lines")
    first = answer(
        agent.panel,
        ReadLogs(request_id=new_id(), container_id=container_id, limit=2, newest=False),
    )
    assert [line.text for line in first.lines] == ["one", "two"]
    assert first.end > first.lines[-1].position
    rest = answer(
        agent.panel,
        ReadLogs(
            request_id=new_id(),
            container_id=container_id,
            after=first.lines[0].position,
            limit=1,
            newest=False,
        ),
    )
    assert [line.text for line in rest.lines] == ["two"]


def test_reading_what_is_not_there_answers_with_a_sentence(agent: AgentProcess):
    agent.panel.wait_for(Inventory)
    chunk = answer(agent.panel, ReadLogs(request_id=new_id(), container_id="f" * 64))
    assert chunk.lines == ()
    assert chunk.error


@pytest.mark.parametrize("reason", ["unsigned", "expired", "misaddressed", "replayed"])
def test_it_refuses_a_bad_request(agent: AgentProcess, reason: str):
    panel = agent.panel
    panel.wait_for(Inventory)
    request = CancelOperation(operation_id=new_id())
    sealed = {
        "unsigned": '{"p": "{}", "s": ""}',
        "expired": panel.sealed(request, now=time.time() - 100),
        "misaddressed": panel.sealed(request, recipient=keys.recipient("b" * 32)),
        "replayed": panel.sealed(request),
    }[reason]
    for _ in range(2 if reason == "replayed" else 1):
        panel.redis.xadd(keys.control(panel.uid), {"m": sealed})
    assert panel.wait_for(MessageRefused).reason == reason


def test_a_line_is_in_redis_within_a_few_milliseconds(agent: AgentProcess):
    container_id = running_container(agent.panel)
    agent.panel.ask(FollowLogs(container_id=container_id, tail=0))
    stream = keys.log(agent.panel.uid, container_id)
    delays, cursor = [], "$"
    while len(delays) < 20:
        for _, entries in agent.panel.redis.xread({stream: cursor}, block=5000):
            cursor = entries[-1][0]
            line = msgspec.json.decode(entries[-1][1]["l"], type=LogLine)
            delays.append(time.time() - line.at)
    assert statistics.median(delays) < 0.05
