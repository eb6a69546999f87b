import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import KernelError, TimedOutError
from agents.linux import mounts, namespaces

pytestmark = pytest.mark.root


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "netns" / "c1"
    yield path
    namespaces.remove_network_namespace(path)


def own_inode() -> int:
    return Path("/proc/thread-self/ns/net").stat().st_ino


def test_a_namespace_outlives_the_thread_that_made_it(path: Path) -> None:
    namespaces.create_network_namespace(path)
    assert namespaces.inode(path) != own_inode()
    assert namespaces.run_inside(path, own_inode) == namespaces.inode(path)


def test_creating_twice_keeps_the_first(path: Path) -> None:
    namespaces.create_network_namespace(path)
    first = namespaces.inode(path)
    namespaces.create_network_namespace(path)
    assert namespaces.inode(path) == first


def test_a_file_that_a_reboot_left_is_taken_over(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    namespaces.create_network_namespace(path)
    assert namespaces.is_network_namespace(path)


def test_removing_twice_succeeds_and_leaves_no_mount(path: Path) -> None:
    namespaces.create_network_namespace(path)
    namespaces.remove_network_namespace(path)
    namespaces.remove_network_namespace(path)
    assert not path.exists()
    assert not mounts.is_mounted(path)


def test_the_calling_thread_stays_where_it_was(path: Path) -> None:
    before = own_inode()
    namespaces.create_network_namespace(path)
    namespaces.run_inside(path, own_inode)
    assert own_inode() == before


def test_what_happens_inside_is_raised_outside(path: Path) -> None:
    namespaces.create_network_namespace(path)
    with pytest.raises(ZeroDivisionError):
        namespaces.run_inside(path, lambda: 1 // 0)


def test_a_missing_namespace_is_named(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="nowhere"):
        namespaces.run_inside(tmp_path / "nowhere", os.getpid)


def test_a_stuck_namespace_does_not_block_for_ever() -> None:
    release = threading.Event()
    with pytest.raises(TimedOutError):
        namespaces.in_new_thread(release.wait, deadline=0.05)
    release.set()
