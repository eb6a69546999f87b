"""How containers of the native engine end: killed for memory, removed by themselves, dead."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.engine import NativeEngine
from agents.engines.specs import (
    ContainerSpec,
    EndpointSpec,
    Limits,
    NetworkSpec,
    PortSpec,
    RestartPolicy,
)
from agents.errors import AgentError, NotFoundError
from agents.linux import process
from agents.protocol.records import ContainerRecord
from tests.contracts.bench import OBEDIENT, unique
from tests.native_engine import NativeHome
from tests.waiting import wait_until

pytestmark = pytest.mark.root

MEBIBYTE = 1024 * 1024
GREEDY = "x=$(head -c 1000000 /dev/zero | tr '\\0' x); while :; do x=$x$x; done"


def start(engine: NativeEngine, script: str, **fields: Any) -> ContainerRecord:
    spec = ContainerSpec(name=unique("c"), image="busybox", command=("sh", "-c", script), **fields)
    return engine.start_container(engine.create_container(spec).id)


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """A file that not even root can remove; a skip where the file system has no such thing."""
    path.touch()
    done = process.run(("chattr", "+i", str(path)), check=False)
    if done.exit_code != 0:
        pytest.skip("no file can be made immutable here")
    try:
        yield
    finally:
        process.run(("chattr", "-i", str(path)), check=False)


def test_a_kill_for_want_of_memory_is_told_apart(engine: NativeEngine) -> None:
    begin = engine.last_event()
    limits = Limits(memory=16 * MEBIBYTE, memory_swap=16 * MEBIBYTE)
    greedy = start(engine, GREEDY, limits=limits)
    killed = start(engine, OBEDIENT, limits=limits)
    assert engine.wait_container(greedy.id, timeout=30.0) == 137
    engine.kill_container(killed.id)
    assert engine.wait_container(killed.id, timeout=30.0) == 137
    assert engine.find_container(greedy.id).oom_killed
    assert not engine.find_container(killed.id).oom_killed
    told = [one for one in engine.events_since(begin) if one.action in ("oom", "die")]
    assert [one.action for one in told if one.id == greedy.id] == ["oom", "die"]
    assert [one.action for one in told if one.id == killed.id] == ["die"]


def test_each_restart_after_a_kill_for_memory_begins_with_a_clean_count(
    engine: NativeEngine,
) -> None:
    script = f"[ -e /again ] && exit 3; touch /again; {GREEDY}"
    ended = start(
        engine,
        script,
        limits=Limits(memory=16 * MEBIBYTE, memory_swap=16 * MEBIBYTE),
        restart=RestartPolicy(name="on-failure", maximum_retries=1),
    )
    assert engine.wait_container(ended.id, timeout=30.0) == 3
    assert not engine.find_container(ended.id).oom_killed


def test_one_that_cannot_be_removed_is_dead_until_it_can(home: NativeHome) -> None:
    with home.engine() as engine:
        made = start(engine, "exit 0")
        engine.wait_container(made.id, timeout=10.0)
        folder = ContainerPaths.of(home.root, home.run, made.id).state
        with immutable(folder / "stuck"):
            with pytest.raises(AgentError, match="cannot remove"):
                engine.remove_container(made.id)
            dead = engine.find_container(made.id)
            assert (dead.state, dead.error != "") == ("dead", True)
            assert engine.wait_container(made.id, timeout=1.0) == 0
        engine.remove_container(made.id)
        with pytest.raises(NotFoundError):
            engine.find_container(made.id)


def test_one_that_ended_while_no_agent_was_there_still_removes_itself(home: NativeHome) -> None:
    with home.engine() as engine:
        made = start(engine, "trap 'exit 0' USR1; sleep 1000 & wait", auto_remove=True)
        init = engine._parts.containers.find(made.id).status.init
    assert init is not None
    process.signal_process(init.pid, 9)
    with home.engine() as engine:
        wait_until(lambda: not engine.list_containers(), "the container to remove itself")


def test_the_pause_before_a_restart_doubles(engine: NativeEngine) -> None:
    begin = engine.last_event()
    looping = start(engine, "exit 1", restart=RestartPolicy(name="on-failure", maximum_retries=4))
    assert engine.wait_container(looping.id, timeout=30.0) == 1
    told = [one for one in engine.events_since(begin) if one.id == looping.id]
    ends = [one.at for one in told if one.action == "die"]
    starts = [one.at for one in told if one.action == "start"]
    pauses = [start - end for end, start in zip(ends, starts[1:], strict=False)]
    assert len(pauses) == 4
    assert all(pause >= 0.1 * 2**turn for turn, pause in enumerate(pauses))
    assert pauses[3] < 2.5


def test_a_restart_by_hand_keeps_addresses_and_ports(engine: NativeEngine) -> None:
    network = engine.create_network(NetworkSpec(name=unique("n"))).name
    fields: dict[str, Any] = {
        "endpoints": (EndpointSpec(network=network),),
        "ports": (PortSpec(container_port=80),),
        "stop_grace": 0.0,
    }
    first, second = start(engine, OBEDIENT, **fields), start(engine, OBEDIENT, **fields)
    again = engine.restart_container(first.id)
    assert again.endpoints[0].ipv4_address == first.endpoints[0].ipv4_address
    assert again.ports == first.ports
    assert again.ports != engine.find_container(second.id).ports
    assert again.started_at != first.started_at
