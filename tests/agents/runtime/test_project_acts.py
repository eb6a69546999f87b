"""Down, start, stop, restart, and what a dead agent left."""

import time
from pathlib import Path

import pytest

from agents.compose import labels
from agents.engines.fake import FakeEngine
from agents.engines.specs import ContainerSpec
from agents.errors import NotFoundError
from agents.projects.act import act_on_project
from agents.projects.down import take_down
from agents.projects.leftovers import settle_leftovers
from agents.projects.translate import FINAL_NAME, REPLACES
from agents.projects.up import Up
from agents.protocol.commands import ProjectAction
from tests.agents.runtime.messages import ONE_SERVICE, deploy
from tests.agents.runtime.steps import Steps

LOOP = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


@pytest.fixture
def running(engine: FakeEngine, tmp_path: Path) -> FakeEngine:
    """An engine on which the project “demo” with a volume runs."""
    text = ONE_SERVICE + "    volumes: ['data:/data']\nvolumes: {data: {}}\n"
    Up(engine, tmp_path, deploy(text), Steps()).run()
    return engine


def act(engine: FakeEngine, action: str) -> str:
    command = ProjectAction(operation_id="0" * 32, project="demo", action=action)
    act_on_project(engine, command, Steps())
    return engine.find_container("demo-web-1").state


def test_stop_start_and_restart_may_be_done_twice(running: FakeEngine):
    assert [act(running, "stop"), act(running, "stop")] == ["exited", "exited"]
    assert [act(running, "start"), act(running, "start")] == ["running", "running"]
    started = running.find_container("demo-web-1").started_at
    assert act(running, "restart") == "running"
    assert running.find_container("demo-web-1").started_at > started


def test_acting_on_nothing_is_an_error(engine: FakeEngine):
    with pytest.raises(NotFoundError):
        act(engine, "stop")


def test_down_keeps_volumes_unless_told(running: FakeEngine):
    take_down(running, "demo", Steps())
    assert running.list_containers() == ()
    assert running.list_networks() == ()
    assert [one.name for one in running.list_volumes()] == ["demo_data"]
    take_down(running, "demo", Steps(), remove_volumes=True)
    assert running.list_volumes() == ()


def replacement(engine: FakeEngine, old: str) -> str:
    """Make a container as an ``up`` does before it stops the old one."""
    marks = {labels.PROJECT: "demo", REPLACES: old, FINAL_NAME: "demo-web-1"}
    spec = ContainerSpec(name="demo-web-1.next", image="busybox", command=LOOP, labels=marks)
    return engine.create_container(spec).id


def test_a_replacement_that_was_never_finished_is_undone(running: FakeEngine):
    old = running.find_container("demo-web-1").id
    replacement(running, old)
    running.stop_container(old)
    settle_leftovers(running)
    (container,) = running.list_containers()
    assert (container.id, container.state) == (old, "running")


def test_a_replacement_that_only_lacks_its_name_gets_it(running: FakeEngine):
    old = running.find_container("demo-web-1").id
    new = replacement(running, old)
    running.start_container(new)
    running.remove_container(old, force=True)
    settle_leftovers(running)
    settle_leftovers(running)
    (container,) = running.list_containers()
    assert (container.id, container.name, container.state) == (new, "demo-web-1", "running")


def test_services_that_take_long_to_stop_are_stopped_side_by_side(
    engine: FakeEngine, tmp_path: Path
):
    service = "{image: busybox, command: [sh, -c, 'sleep 1000'], stop_grace_period: 0.5s}"
    text = "services:\n" + "".join(f"  s{number}: {service}\n" for number in range(4))
    Up(engine, tmp_path, deploy(text), Steps()).run()
    began = time.monotonic()
    assert take_down(engine, "demo", Steps()) == "4 containers removed"
    assert 0.5 <= time.monotonic() - began < 1.5
