"""Paused containers, over the end of an agent; and statistics with pressure."""

import os
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.native.holdings.processes import read_cgroups
from agents.engines.native.stats import read_interfaces
from agents.engines.specs import EndpointSpec, ExecSpec, NetworkSpec
from agents.linux import cgroups
from tests.native_engine import NativeHome, run_here
from tests.waiting import wait_until

pytestmark = pytest.mark.root


def test_a_paused_container_is_paused_after_an_agents_end(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run_here(engine, "echo on; sleep 1000 & wait")
        engine.pause_container(container.id)
    with home.engine() as engine:
        assert engine.find_container(container.id).state == "paused"
        assert engine.unpause_container(container.id).state == "running"


def test_what_nobody_paused_goes_on_when_the_agent_is_back(home: NativeHome) -> None:
    with home.engine() as engine:
        first, second = (run_here(engine, "sleep 1000 & wait") for _ in range(2))
        engine.pause_container(first.id)
        parts = engine._parts.cgroups
    cgroups.thaw(parts.layout, parts.path(first.id))
    cgroups.freeze(parts.layout, parts.path(second.id))
    with home.engine() as engine:
        assert engine.find_container(first.id).state == "running"
        # Held still for an act, such as a commit, that the agent's end cut off.
        assert engine.find_container(second.id).state == "running"
        assert not cgroups.is_frozen(parts.layout, parts.path(second.id))


def test_pauses_are_told_as_events(engine: NativeEngine) -> None:
    container, last = run_here(engine, "sleep 1000 & wait"), engine.last_event()
    engine.pause_container(container.id)
    engine.unpause_container(container.id)
    assert [one.action for one in engine.events_since(last)] == ["pause", "unpause"]


def test_pressure_is_told_where_the_kernel_has_it(engine: NativeEngine) -> None:
    layout = cgroups.host_layout()
    if not Path("/proc/pressure/cpu").exists() or layout.unified is None:
        pytest.skip("this kernel tells no pressure for cgroups")
    busy = "while :; do :; done & " * (2 * (os.cpu_count() or 1))
    container = run_here(engine, f"{busy}wait")

    def is_pressed() -> bool:
        found = engine.read_stats(container.id)
        assert found.memory_pressure is not None
        assert found.io_pressure is not None
        return found.cpu_pressure is not None and found.cpu_pressure.some.total > 0.05

    wait_until(is_pressed, "pressure on the CPUs")
    engine.remove_container(container.id, force=True)


def test_what_is_executed_is_in_the_containers_cgroups_from_its_beginning(
    engine: NativeEngine,
) -> None:
    container = run_here(engine, "sleep 1000 & wait")
    with engine.start_exec(container.id, ExecSpec(command=("sleep", "1000"))):
        wait_until(lambda: engine.list_execs(container.id)[0].pid > 0, "the program to run")
        found = read_cgroups(engine.list_execs(container.id)[0].pid)
    assert {one.path for one in found} == {engine._parts.cgroups.path(container.id)}


def test_interfaces_are_those_of_the_containers_side(engine: NativeEngine) -> None:
    engine.create_network(NetworkSpec(name="n1"))
    container = run_here(engine, "sleep 1000 & wait", endpoints=(EndpointSpec(network="n1"),))
    assert [one.name for one in engine.read_stats(container.id).interfaces] == ["eth0"]
    host = run_here(engine, "sleep 1000 & wait", network_mode="host")
    assert engine.read_stats(host.id).interfaces == ()
    assert read_interfaces(1 << 30) == ()
