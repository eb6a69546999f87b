"""``agents purge`` takes an agent's things off a host, and nothing of anybody else's."""

import subprocess
import sys
from pathlib import Path

import pytest

from agents.linux import mounts
from tests.agents.runtime.agent_process import AgentProcess
from tests.agents.runtime.messages import FOREVER, deploy
from tests.native_engine import NativeHome, assert_nothing_left

pytestmark = [pytest.mark.root, pytest.mark.redis]

PROJECT = f"""\
services:
  web:
    image: busybox
    command: {FOREVER}
    volumes: [data:/data]
volumes: {{data: }}
"""


def run_agents(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "agents", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def purge(agent: AgentProcess) -> subprocess.CompletedProcess[str]:
    return run_agents("purge", "--config", str(agent.config_path))


@pytest.fixture
def used_agent(native_agent: AgentProcess) -> AgentProcess:
    """A stopped agent whose project still runs."""
    assert native_agent.panel.finish(deploy(PROJECT)).state == "succeeded"
    native_agent.stop()
    return native_agent


def home_of(agent: AgentProcess) -> NativeHome:
    return NativeHome(agent.config.root / "native", agent.config.uid)


def assert_gone(agent: AgentProcess) -> None:
    assert not agent.config.root.exists()
    assert not agent.config.run.exists()
    assert_nothing_left(home_of(agent))


def test_purge_leaves_nothing_and_may_be_run_again(used_agent: AgentProcess):
    for _ in range(2):
        done = purge(used_agent)
        assert (done.returncode, done.stderr) == (0, "")
    assert_gone(used_agent)


def test_purge_is_refused_while_the_agent_runs(native_agent: AgentProcess):
    assert native_agent.panel.finish(deploy(PROJECT)).state == "succeeded"
    done = purge(native_agent)
    assert done.returncode == 1
    assert "another agent already works on" in done.stderr
    assert native_agent.config_path.exists()


def test_purge_never_deletes_through_a_mount_of_somebody_else(
    used_agent: AgentProcess, tmp_path: Path
):
    (tmp_path / "precious").write_text("kept")
    inside = used_agent.config.root / "native" / "theirs"
    inside.mkdir()
    mounts.bind(tmp_path, inside)
    try:
        done = purge(used_agent)
    finally:
        mounts.unmount(inside)
    assert done.returncode == 1
    assert f"umount {inside}" in done.stderr
    assert (tmp_path / "precious").read_text() == "kept"
    assert list((used_agent.config.root / "native" / "containers").iterdir())
    assert purge(used_agent).returncode == 0


def test_a_host_that_has_left_can_still_be_purged(used_agent: AgentProcess):
    assert run_agents("leave", "--config", str(used_agent.config_path)).returncode == 0
    left = used_agent.config.root / "left.json"
    assert used_agent.config.redis_password.reveal() not in left.read_text()
    assert purge(used_agent).returncode == 0
    assert_gone(used_agent)
