"""Containers outlive the agent, and are taken up by the next one."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.containers.records import ProcessMark, Status
from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, EndpointSpec, NetworkSpec, RestartPolicy
from agents.linux import mounts, process
from tests.contracts.bench import OBEDIENT, unique
from tests.native_engine import NativeHome
from tests.waiting import wait_until

pytestmark = pytest.mark.root

COUNTING = "trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo $i; done"
AGENT = """
import sys, signal
from pathlib import Path
from agents.engines.native.engine import NativeEngine
engine = NativeEngine(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
engine.start()
for container in engine.list_containers():
    engine.start_container(container.id)
print("started", flush=True)
signal.pause()
"""


def spec(script: str, restart: str = "no") -> ContainerSpec:
    command = ("sh", "-c", script)
    policy = RestartPolicy(name=restart)
    return ContainerSpec(name=unique("c"), image="busybox", command=command, restart=policy)


def paths(home: NativeHome, container_id: str) -> ContainerPaths:
    return ContainerPaths.of(home.root, home.run, container_id)


@pytest.fixture
def killed_agent(home: NativeHome) -> Iterator[str]:
    """An agent that started a container which counts, and was killed; the container's id."""
    with home.engine() as engine:
        container = engine.create_container(spec(COUNTING))
    argv = [sys.executable, "-c", AGENT, str(home.root), str(home.run), home.uid]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == b"started\n"
        log = paths(home, container.id).log
        wait_until(lambda: log.stat().st_size > 10_000, "many lines")
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        yield container.id


def test_no_line_is_lost_or_doubled_when_the_agent_is_killed(
    home: NativeHome, killed_agent: str
) -> None:
    log = paths(home, killed_agent).log
    before = log.stat().st_size
    wait_until(lambda: log.stat().st_size > before + 10_000, "lines while no agent runs")
    with home.engine() as engine:
        assert engine.find_container(killed_agent).state == "running"
        end = log.stat().st_size
        assert engine.wait_logs(killed_agent, after=end, timeout=10.0)
        assert engine.stop_container(killed_agent).exit_code == 0
        lines = engine.read_logs(killed_agent, limit=10_000_000)
    assert [line.text for line in lines] == [str(n + 1) for n in range(len(lines))]
    assert all(one.position == two.previous for one, two in zip(lines, lines[1:], strict=False))
    assert lines[-1].position > end


def test_one_that_ended_meanwhile_has_its_exit_code(home: NativeHome) -> None:
    script = "trap 'exit 5' TERM; echo up; sleep 1000 & wait"
    with home.engine() as engine:
        container = engine.start_container(engine.create_container(spec(script)).id)
        assert engine.wait_logs(container.id, after=0, timeout=10.0)
        before = status(home, container.id)
    assert before.init is not None
    assert before.monitor is not None
    end(before.init, signal.SIGTERM)
    wait_until(lambda: not process.is_running(before.monitor.pid), "the monitor to end")
    with home.engine() as engine:
        found = engine.find_container(container.id)
        assert (found.state, found.exit_code) == ("exited", 5)


def test_its_policy_is_followed_when_it_ended_meanwhile(home: NativeHome) -> None:
    with home.engine() as engine:
        container = engine.start_container(engine.create_container(spec(OBEDIENT, "always")).id)
        init = status(home, container.id).init
    assert init is not None
    end(init)
    with home.engine() as engine:
        wait_until(lambda: is_restarted(engine, container.id), "the restart")


def test_a_restart_that_was_due_is_done(home: NativeHome) -> None:
    with home.engine() as engine:
        container = engine.start_container(engine.create_container(spec("exit 1", "always")).id)
        wait_until(lambda: engine.find_container(container.id).state == "restarting", "a failure")
    count = status(home, container.id).restart_count
    with home.engine() as engine:
        wait_until(
            lambda: engine.find_container(container.id).restart_count > count + 1, "restarts"
        )


def test_a_monitor_that_was_killed_ends_its_container(home: NativeHome) -> None:
    with home.engine() as engine:
        container = engine.start_container(engine.create_container(spec(OBEDIENT)).id)
        monitor, init = status(home, container.id).monitor, status(home, container.id).init
        assert monitor is not None
        assert init is not None
        end(monitor)
        assert engine.wait_container(container.id, timeout=10.0) == 137
        assert "monitor" in engine.find_container(container.id).error
        wait_until(lambda: not process.is_running(init.pid), "the program to end")


@pytest.mark.parametrize(
    ("policy", "stopped", "state"),
    [
        ("no", False, "exited"),
        ("always", False, "running"),
        ("always", True, "running"),
        ("unless-stopped", False, "running"),
        ("unless-stopped", True, "exited"),
    ],
)
def test_after_a_reboot_those_run_that_should(
    home: NativeHome, policy: str, stopped: bool, state: str
) -> None:
    network = NetworkSpec(name=unique("n"))
    with home.engine() as engine:
        engine.create_network(network)
        container = engine.create_container(on(network.name, spec(OBEDIENT, policy)))
        engine.start_container(container.id)
        if stopped:
            engine.stop_container(container.id)
    power_cut(home, container.id)
    with home.engine() as engine:
        wait_until(lambda: engine.find_container(container.id).state == state, f"it to be {state}")
        if state == "running":
            assert engine.find_container(container.id).endpoints[0].network == network.name
        elif not stopped:
            assert engine.find_container(container.id).exit_code == 255


def test_what_a_crash_left_half_made_is_removed(home: NativeHome) -> None:
    half, stray = paths(home, "a" * 64), paths(home, "b" * 64)
    with home.engine():
        pass
    half.state.mkdir()
    stray.bundle.mkdir(parents=True)
    with home.engine() as engine:
        assert engine.list_containers() == ()
    assert not half.state.exists()
    assert not stray.run.exists()


def test_a_start_that_was_cut_off_is_undone(home: NativeHome) -> None:
    with home.engine() as engine:
        container = engine.start_container(engine.create_container(spec(OBEDIENT)).id)
    cut = msgspec.structs.replace(status(home, container.id), state="starting")
    paths(home, container.id).status.write_bytes(msgspec.json.encode(cut))
    with home.engine() as engine:
        found = engine.find_container(container.id)
        assert (found.state, "starting" in found.error) == ("exited", True)
        assert not mounts.is_mounted(paths(home, container.id).rootfs)


def on(network: str, wanted: ContainerSpec) -> ContainerSpec:
    return ContainerSpec(
        name=wanted.name,
        image=wanted.image,
        command=wanted.command,
        restart=wanted.restart,
        endpoints=(EndpointSpec(network=network),),
    )


def status(home: NativeHome, container_id: str) -> Status:
    return msgspec.json.decode(paths(home, container_id).status.read_bytes(), type=Status)


def end(mark: ProcessMark, number: int = signal.SIGKILL) -> None:
    pidfd = process.open_pidfd(mark.pid)
    process.send_signal(pidfd, number)
    assert process.wait_pidfd(pidfd, 10.0)


def is_restarted(engine: NativeEngine, container_id: str) -> bool:
    found = engine.find_container(container_id)
    return (found.state, found.restart_count) == ("running", 1)


def power_cut(home: NativeHome, container_id: str) -> None:
    """Bring the engine's things to where they are after the machine was off."""
    before = status(home, container_id)
    for mark in (before.init, before.monitor):
        if mark is not None and process.is_running(mark.pid):
            end(mark)
    for entry in reversed(mounts.read_mounts()):
        if entry.target.is_relative_to(home.folder):
            mounts.unmount(entry.target)
    forget_cgroup(home, container_id)
    shutil.rmtree(home.run / "containers")
    shutil.rmtree(home.run / "runtime")
    text = paths(home, container_id).status.read_text()
    boot = (home.root / "boot").read_text()
    paths(home, container_id).status.write_text(text.replace(boot, "another"))
    (home.root / "boot").write_text("another")


def forget_cgroup(home: NativeHome, container_id: str) -> None:
    for path in Path("/sys/fs/cgroup").glob(f"*/webpanel-{home.uid}/{container_id}"):
        path.rmdir()
