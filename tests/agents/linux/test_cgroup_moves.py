"""The kernel is kept ready for moves only while somebody expects one, and nothing moves."""

import os
import threading
from pathlib import Path

import pytest

from agents.linux.cgroups import host_layout
from agents.linux.cgroups.layout import Layout
from agents.linux.cgroups.moves import Readiness
from tests.waiting import wait_until

pytestmark = pytest.mark.root
OWN = Path("/proc/self/cgroup")


@pytest.fixture(autouse=True)
def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("moving between cgroups needs root")


def keepers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "cgroups"]


def test_one_thread_serves_all_who_wait_and_ends_with_the_last() -> None:
    ready = Readiness(host_layout())
    with ready.kept():
        with ready.kept():
            assert len(keepers()) == 1
        assert len(keepers()) == 1
    wait_until(lambda: not keepers(), "the thread to end")


def test_it_may_be_wanted_for_a_time_alone() -> None:
    Readiness(host_layout()).keep(0.05)
    assert len(keepers()) == 1
    wait_until(lambda: not keepers(), "the thread to end")


def test_the_agent_stays_in_its_cgroups() -> None:
    before = OWN.read_text()
    with Readiness(host_layout()).kept():
        wait_until(lambda: bool(keepers()), "the thread to start")
        assert OWN.read_text() == before
    wait_until(lambda: not keepers(), "the thread to end")
    assert OWN.read_text() == before


def test_a_place_that_cannot_be_written_is_no_harm(tmp_path: Path) -> None:
    nowhere = Layout(unified=tmp_path / "missing", controllers={"pids": tmp_path / "missing"})
    with Readiness(nowhere).kept():
        wait_until(lambda: not keepers(), "the thread to give up")
