"""The agent dies, stops, or loses Redis, and takes up where it was."""

import time
from collections.abc import Callable

import pytest

from agents.protocol import keys
from agents.protocol.commands import ReportAll
from agents.protocol.control import FollowLogs
from agents.protocol.events import (
    Heartbeat,
    Inventory,
    OperationFinished,
    OperationOutput,
    OperationStarted,
)
from agents.recovery import resume_operations
from agents.state import State
from tests.agents.runtime.agent_process import AgentProcess
from tests.agents.runtime.messages import FOREVER, deploy, new_id
from tests.redis_server import RedisServer
from tests.waiting import wait_until

pytestmark = pytest.mark.redis

WAITS = (
    f"services:\n  job:\n    image: busybox\n    command: {FOREVER}\n"
    "  web:\n    image: busybox\n    command: sleep 1000\n    depends_on:\n"
    "      job: {condition: service_completed_successfully}\n"
)


@pytest.fixture
def agent(own_agent: AgentProcess) -> AgentProcess:
    """Here every test has an agent of its own, as it is killed, stopped or looked at whole."""
    return own_agent


def begin_waiting(agent: AgentProcess) -> str:
    """Send a command that does not end by itself; return once it waits."""
    command = deploy(WAITS)
    agent.panel.send(command)
    agent.panel.wait_for(OperationOutput, lambda event: "Wait until" in event.lines[-1].text)
    return command.operation_id


def starts(agent: AgentProcess, operation_id: str) -> int:
    agent.panel.read_events()
    # One that a killed agent could not note as sent comes again, from the same moment.
    return len(
        {
            event.at
            for event in agent.panel.events
            if isinstance(event, OperationStarted) and event.operation_id == operation_id
        }
    )


def test_an_operation_goes_on_after_the_agent_was_killed(agent: AgentProcess):
    operation_id = begin_waiting(agent)
    agent.kill()
    agent.start()
    wait_until(lambda: starts(agent, operation_id) == 2, "the second start")
    lines = {
        (line.seq, line.text)
        for event in agent.panel.events
        if isinstance(event, OperationOutput)
        for line in event.lines
    }
    assert [seq for seq, _ in sorted(lines)] == list(range(1, len(lines) + 1))


def test_sigterm_stops_the_agent_in_five_seconds_and_hands_back_what_runs(agent: AgentProcess):
    operation_id = begin_waiting(agent)
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < 5
    agent.panel.read_events()
    assert not any(isinstance(event, OperationFinished) for event in agent.panel.events)
    agent.start()
    wait_until(lambda: starts(agent, operation_id) == 2, "the second start")


def test_what_the_agent_died_on_three_times_is_reported_as_failed(agent: AgentProcess):
    operation_id = begin_waiting(agent)
    for attempt in (2, 3):
        agent.kill()
        agent.start()
        wait_until(lambda want=attempt: starts(agent, operation_id) == want, "another start")
    agent.kill()
    agent.start()
    finished = agent.panel.wait_for(OperationFinished)
    assert (finished.state, finished.errors[0].code) == ("failed", "agent_stopped")


def test_what_has_expired_meanwhile_is_reported_as_failed(agent: AgentProcess):
    operation_id = begin_waiting(agent)
    agent.kill()
    state = State(agent.config.root)
    told: list[OperationFinished] = []

    class Reports:
        put = staticmethod(told.append)

    resume_operations(state, Reports(), lambda _: None, now=time.time() + 3600)
    state.close()
    assert [(one.operation_id, one.state) for one in told] == [(operation_id, "failed")]


def test_commands_wait_while_the_agent_is_away(agents: Callable[..., AgentProcess]):
    agent = agents()
    command = deploy()
    agent.panel.send(command)
    agent.start()
    assert agent.panel.wait_for(OperationFinished).operation_id == command.operation_id


def test_a_command_that_a_dead_agent_had_taken_from_the_queue_comes_again(
    agents: Callable[..., AgentProcess],
):
    agent = agents()
    agent.panel.send(deploy())
    queue, redis = keys.queue(agent.panel.uid), agent.panel.redis
    message = redis.rpop(queue)
    redis.hset(f"{queue}.unacked", "tag", f'[{message}, "{queue}", "{queue}"]')
    redis.zadd(f"{queue}.unacked_index", {"tag": time.time() - 60})
    agent.start()
    assert agent.panel.wait_for(OperationFinished).state == "succeeded"
    wait_until(lambda: redis.hlen(f"{queue}.unacked") == 0, "the acknowledgement")


def test_it_works_on_when_redis_was_away(server: RedisServer, agent: AgentProcess):
    agent.panel.wait_for(Inventory)
    server.stop()
    server.start()
    server.add_host(agent.config.uid, agent.config.redis_password.reveal())
    agent.panel._cursor = "0-0"
    agent.panel.events.clear()
    assert agent.panel.wait_for(Inventory)
    assert agent.panel.finish(deploy()).state == "succeeded"


def test_what_happened_while_redis_was_away_is_told_later(server: RedisServer, agent: AgentProcess):
    operation_id = begin_waiting(agent)
    server.stop()
    agent.kill()
    agent.start()
    wait_until(lambda: "redis_unreachable" in agent.log_text(), "a try to reach Redis")
    server.start()
    server.add_host(agent.config.uid, agent.config.redis_password.reveal())
    agent.panel._cursor = "0-0"
    agent.panel.events.clear()
    wait_until(lambda: starts(agent, operation_id) == 1, "the second start")


def test_it_starts_without_redis_and_stops_at_once(
    server: RedisServer, agents: Callable[..., AgentProcess]
):
    agent = agents()
    server.stop()
    agent.start()
    wait_until(lambda: "redis_unreachable" in agent.log_text(), "a try to reach Redis")
    assert agent.stop() == 0


def test_heartbeats_name_what_is_active(agent: AgentProcess):
    operation_id = begin_waiting(agent)
    beat = agent.panel.wait_for(Heartbeat, lambda event: operation_id in event.active_operations)
    assert beat.memory_used > 0
    assert beat.disk_used > 0


def test_a_second_agent_on_the_same_root_is_refused(agent: AgentProcess):
    agent.panel.wait_for(Inventory)
    second = AgentProcess(config=agent.config, panel=agent.panel, logs=[agent.logs[0]])
    second.start()
    assert second.process.wait(10) == 1
    assert "another agent already works" in second.logs[-1].read_text()


def test_it_works_over_tls_with_the_hosts_certificate(
    server: RedisServer, agents: Callable[..., AgentProcess]
):
    agent = agents(url=server.tls_url)
    agent.start()
    assert agent.panel.finish(deploy()).state == "succeeded"
    agent.panel.ask(FollowLogs(container_id="f" * 64))
    assert agent.panel.finish(ReportAll(operation_id=new_id())).state == "succeeded"
