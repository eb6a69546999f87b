"""Live figures of containers, and looks into them, through a real Redis."""

import threading

import msgspec
import pytest

from agents.engines.fake import FakeEngine
from agents.protocol import keys
from agents.protocol.control import ContainerFindings, LookAtContainer, StatsSample, WatchStats
from agents.protocol.events import ContainerChanged, Inventory
from agents.sessions import StatsPublisher
from tests.agents.runtime.agent_process import AgentProcess
from tests.agents.runtime.messages import deploy, new_id
from tests.agents.runtime.panel_side import PanelSide
from tests.redis_server import RedisServer
from tests.waiting import wait_until

pytestmark = pytest.mark.redis

WELL = """\
services:
  web:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; while :; do sleep 0.1; done"
    mem_limit: 64m
    cpus: 0.5
    healthcheck: {test: [CMD-SHELL, "echo fine"], interval: 1s}
"""


def running(panel: PanelSide, text: str = WELL) -> str:
    panel.finish(deploy(text))
    event = panel.wait_for(ContainerChanged, lambda one: one.container.state == "running")
    return event.container.id


def look(panel: PanelSide, container_id: str, what: str) -> ContainerFindings:
    request = LookAtContainer(request_id=new_id(), container_id=container_id, what=what)
    panel.ask(request)
    stream = keys.reply(panel.uid, request.request_id)
    found = panel.redis.xread({stream: "0"}, block=10_000)
    return msgspec.json.decode(found[0][1][0][1]["findings"], type=ContainerFindings)


def samples(panel: PanelSide, container_id: str) -> list[StatsSample]:
    entries = panel.redis.xrange(keys.stats(panel.uid, container_id))
    return [msgspec.json.decode(fields["s"], type=StatsSample) for _, fields in entries]


def is_quiet(panel: PanelSide, container_id: str) -> bool:
    """Return whether nothing comes for longer than a period."""
    return not panel.redis.xread({keys.stats(panel.uid, container_id): "$"}, block=1500)


@pytest.mark.root
def test_figures_come_once_a_second_however_often_they_are_asked_for(native_agent: AgentProcess):
    panel = native_agent.panel
    panel.wait_for(Inventory)
    container_id = running(panel)
    for _ in range(3):
        panel.ask(WatchStats(container_id=container_id))
    wait_until(lambda: len(samples(panel, container_id)) >= 4, "four samples")
    found = [one.stats for one in samples(panel, container_id)]
    assert all(found)
    pauses = [after.at - before.at for before, after in zip(found, found[1:], strict=False)]
    assert min(pauses) > 0.7
    assert (found[0].cpu.limit, found[0].memory.limit) == (0.5, 64 * 1024 * 1024)


@pytest.mark.root
def test_processes_health_and_kernel_are_told_when_asked_for(native_agent: AgentProcess):
    panel = native_agent.panel
    panel.wait_for(Inventory)
    container_id = running(panel)
    processes = look(panel, container_id, "processes").processes
    assert processes[0].pid == 1
    wait_until(lambda: look(panel, container_id, "health").health.results, "the first check")
    assert look(panel, container_id, "health").health.results[0].output == "fine\n"
    kernel = look(panel, container_id, "kernel").kernel
    assert kernel.container_id == container_id
    assert kernel.differences == ()


def test_the_figures_end_with_the_lease(agent: AgentProcess):
    container_id = running(agent.panel)
    agent.panel.ask(WatchStats(container_id=container_id, lease=1.0))
    wait_until(lambda: samples(agent.panel, container_id), "the first sample")
    wait_until(lambda: is_quiet(agent.panel, container_id), "the end of the lease")
    assert 0 < agent.panel.redis.ttl(keys.stats(agent.panel.uid, container_id)) <= 61
    agent.panel.ask(WatchStats(container_id=container_id, lease=1.0))
    count = len(samples(agent.panel, container_id))
    wait_until(lambda: len(samples(agent.panel, container_id)) > count, "figures again")


def test_no_thread_is_left_when_nobody_looks(server: RedisServer, engine: FakeEngine):
    publisher = StatsPublisher(uid="0" * 32, engine=engine, client=server.admin())
    for _ in range(2):
        publisher.watch(WatchStats(container_id="c", lease=0.1))
        assert "stats" in thread_names()
        wait_until(lambda: "stats" not in thread_names(), "the end of the thread")
    publisher.watch(WatchStats(container_id="c", lease=60))
    publisher.close()
    assert "stats" not in thread_names()


def thread_names() -> set[str]:
    return {one.name for one in threading.enumerate()}


def test_an_engine_that_does_not_count_says_so(agent: AgentProcess):
    container_id = running(agent.panel)
    agent.panel.ask(WatchStats(container_id=container_id, lease=1.0))
    wait_until(lambda: samples(agent.panel, container_id), "the first sample")
    assert samples(agent.panel, container_id)[0].error == "the fake engine does not count"


@pytest.mark.parametrize("what", ["processes", "health", "kernel"])
def test_what_an_engine_cannot_tell_is_a_sentence(agent: AgentProcess, what: str):
    agent.panel.wait_for(Inventory)
    found = look(agent.panel, "f" * 64, what)
    assert found.error.startswith("the fake engine")
    assert (found.processes, found.health, found.kernel) == (None, None, None)


def test_all_requests_stay_bounded(agent: AgentProcess):
    container_id = running(agent.panel)
    for number in range(300):
        agent.panel.ask(WatchStats(container_id=f"{number:064x}", lease=0.5))
    agent.panel.ask(WatchStats(container_id=container_id, lease=1.0))
    wait_until(lambda: is_quiet(agent.panel, f"{0:064x}"), "the end of the leases")
    agent.panel.ask(WatchStats(container_id=container_id, lease=1.0))
    wait_until(lambda: samples(agent.panel, container_id), "figures of another")
