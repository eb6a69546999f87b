"""Health checks of the native engine: they outlive agents and leave nothing behind."""

import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import BuildSpec, ContainerSpec, HealthcheckSpec
from agents.protocol.records import HealthRecord
from tests.contracts.bench import unique
from tests.native_engine import NativeHome
from tests.waiting import wait_until

pytestmark = pytest.mark.root

AGENT = """
import sys, signal
from pathlib import Path
from agents.engines.native.engine import NativeEngine
engine = NativeEngine(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
engine.start()
print("started", flush=True)
signal.pause()
"""


def check(line: str, **fields: Any) -> HealthcheckSpec:
    given = {"interval": 0.1, "retries": 1, **fields}
    return HealthcheckSpec(test=("CMD-SHELL", line), **given)


def run(engine: NativeEngine, health: HealthcheckSpec, image: str = "busybox") -> str:
    made = engine.create_container(
        ContainerSpec(
            name=unique("c"),
            image=image,
            command=("sleep", "1000"),
            stop_grace=0.0,
            healthcheck=health,
        )
    )
    return engine.start_container(made.id).id


def wait_for(engine: NativeEngine, container_id: str, state: str) -> HealthRecord:
    wait_until(lambda: engine.find_container(container_id).health == state, f"the health {state}")
    return engine.find_health(container_id)


def newest(engine: NativeEngine, container_id: str) -> float:
    results = engine.find_health(container_id).results
    return results[-1].started_at if results else 0.0


def sleepers(seconds: str) -> list[str]:
    """The processes of this machine that sleep for so long."""
    needle = f"\0{seconds}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if text.startswith(b"sleep") and needle in text:
            found.append(path.parent.name)
    return found


def number() -> str:
    return str(1_000_000 + secrets.randbelow(1_000_000))


def test_health_goes_on_over_a_restart_of_the_agent(home: NativeHome) -> None:
    with home.engine() as engine:
        container_id = run(engine, check("echo well"))
        before = wait_for(engine, container_id, "healthy")
    with home.engine() as engine:
        assert engine.find_container(container_id).health == "healthy"
        after = engine.find_health(container_id)
        assert {one.started_at for one in after.results} & {
            one.started_at for one in before.results
        }
        last = newest(engine, container_id)
        wait_until(lambda: newest(engine, container_id) > last, "another check")


def test_a_check_that_is_late_leaves_no_process(engine: NativeEngine) -> None:
    one, other = number(), number()
    line = f"sleep {one} & sleep {other}"
    container_id = run(engine, check(line, timeout=0.5))
    wait_until(lambda: bool(sleepers(one)), "the check to run")
    wait_for(engine, container_id, "unhealthy")
    # The container lives on, and only a next check may run in it.
    assert len(sleepers(one)) <= 1
    engine.stop_container(container_id)
    assert sleepers(one) + sleepers(other) == []


def test_each_late_check_is_gone_before_the_next(engine: NativeEngine) -> None:
    seconds = number()
    container_id = run(engine, check(f"sleep {seconds}", timeout=0.2))
    for _ in range(3):
        last = newest(engine, container_id)
        wait_until(lambda last=last: newest(engine, container_id) > last, "another result")
        assert len(sleepers(seconds)) <= 1
    engine.stop_container(container_id)


def test_a_check_of_an_agent_that_was_killed_is_ended(home: NativeHome) -> None:
    seconds = number()
    with home.engine() as engine:
        container_id = run(engine, check(f"sleep {seconds}", timeout=1000.0, interval=0.5))
    argv = [sys.executable, "-c", AGENT, str(home.root), str(home.run), home.uid]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == b"started\n"
        wait_until(lambda: len(sleepers(seconds)) == 1, "the check to run")
        (before,) = sleepers(seconds)
        agent.send_signal(signal.SIGKILL)
    assert sleepers(seconds) == [before]
    with home.engine() as engine:
        wait_until(lambda: before not in sleepers(seconds), "the old check to be gone")
        wait_until(lambda: len(sleepers(seconds)) == 1, "a new check")
        engine.stop_container(container_id)


def test_a_check_ends_with_its_agent(home: NativeHome) -> None:
    seconds = number()
    with home.engine() as engine:
        run(engine, check(f"sleep {seconds}", timeout=1000.0))
        wait_until(lambda: len(sleepers(seconds)) == 1, "the check to run")
    assert sleepers(seconds) == []


def test_a_paused_container_is_not_checked(engine: NativeEngine) -> None:
    paused, other = run(engine, check("exit 0")), run(engine, check("exit 0"))
    wait_for(engine, paused, "healthy")
    engine.pause_container(paused)
    last = newest(engine, paused)
    for _ in range(4):
        now = newest(engine, other)
        wait_until(lambda now=now: newest(engine, other) > now, "the other's next check")
    # One that ran when it was paused may have ended since.
    assert newest(engine, paused) - last < 0.3
    engine.unpause_container(paused)
    last = newest(engine, paused)
    wait_until(lambda: newest(engine, paused) > last, "checks to go on")
    assert engine.find_container(paused).health == "healthy"


def test_the_images_check_is_run(engine: NativeEngine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\nHEALTHCHECK --interval=100ms --retries=1 CMD echo of the image; exit 2\n"
    )
    name = unique("image")
    engine.build_image(BuildSpec(context=tmp_path, references=(name,)), lambda _: None)
    record = wait_for(engine, run(engine, HealthcheckSpec(), name), "unhealthy")
    assert record.results[-1].output == "of the image\n"


def test_checks_take_no_thread_for_each_container(engine: NativeEngine) -> None:
    first = run(engine, check("exit 0"))
    wait_for(engine, first, "healthy")
    before = threading.active_count()
    for one in [run(engine, check("exit 0")) for _ in range(8)]:
        wait_for(engine, one, "healthy")
    # The pool of a few that does everything may just have grown.
    assert threading.active_count() <= before + 4
