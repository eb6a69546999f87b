"""The runtime's own records are used as the runtime would, and left to it when in doubt."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agents.engines.native import runtime, runtime_state
from agents.engines.native.engine import NativeEngine
from agents.errors import ProgramError
from tests.native_engine import NativeHome, run_here

pytestmark = pytest.mark.root


def state_of(home: NativeHome) -> Path:
    return home.run / "runtime"


def test_the_runtime_sees_a_started_container_as_running(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run_here(engine, "sleep 1000")
        told = runtime.run(state_of(home), "state", container.id).text()
    assert '"status": "running"' in told


def test_a_container_that_runs_has_not_ended(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run_here(engine, "sleep 1000")
        assert not runtime_state.has_ended(state_of(home), container.id)


def test_after_the_end_the_runtime_knows_nothing_of_it(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run_here(engine, "exit 3")
        engine.wait_container(container.id)
        assert not (state_of(home) / container.id).exists()
        assert runtime_state.has_ended(state_of(home), container.id)


def test_processes_that_outlive_the_first_one_are_left_to_the_runtime(
    engine: NativeEngine,
) -> None:
    cgroups = engine._parts.cgroups
    folder = next(cgroups.layout.folders(cgroups.path("outlived")))
    folder.mkdir(parents=True)
    with subprocess.Popen(("sleep", "1000")) as child:
        (folder / "cgroup.procs").write_text(str(child.pid))
        removed = cgroups.remove("outlived")
        child.kill()
    assert not removed
    assert cgroups.remove("outlived")
    cgroups.tidy()


def test_cgroups_that_a_container_made_below_its_own_go_with_it(engine: NativeEngine) -> None:
    cgroups = engine._parts.cgroups
    folder = next(cgroups.layout.folders(cgroups.path("nested")))
    (folder / "inner").mkdir(parents=True)
    assert cgroups.remove("nested")
    assert not folder.exists()
    cgroups.tidy()


def test_a_state_that_is_not_understood_is_left_to_the_runtime(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "status").write_text("{}")
    assert not runtime_state.has_ended(tmp_path, "half")
    assert not runtime_state.has_ended(tmp_path, "other")


def test_a_start_that_nobody_waits_for_is_the_runtimes_to_refuse(tmp_path: Path) -> None:
    if shutil.which("crun") is None:
        pytest.skip("crun is not installed")
    (tmp_path / "gone").mkdir()
    os.mkfifo(tmp_path / "gone" / "exec.fifo")
    with pytest.raises(ProgramError):
        runtime_state.start(tmp_path, "gone")
    assert (tmp_path / "gone" / "exec.fifo").exists()


def test_forgetting_twice_is_forgetting_once(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for _ in range(2):
        runtime_state.forget(tmp_path, "one")
    assert not (tmp_path / "one").exists()
