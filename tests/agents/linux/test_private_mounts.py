"""Mounts that a thread has for itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import KernelError
from agents.linux import mounts, private_mounts, process

pytestmark = pytest.mark.root


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    mounts.mount_tmpfs(tmp_path)
    (tmp_path / "here").touch()
    yield tmp_path
    mounts.unmount(tmp_path)


def test_a_program_started_without_a_mount_does_not_see_it(mounted: Path) -> None:
    def call() -> str:
        return process.run(("ls", str(mounted))).text()

    assert private_mounts.run_without(mounted, call, deadline=10.0) == ""


def test_the_host_keeps_the_mount(mounted: Path) -> None:
    private_mounts.run_without(mounted, lambda: None, deadline=10.0)
    assert (mounted / "here").exists()


def test_what_is_mounted_inside_stays_inside(mounted: Path, tmp_path: Path) -> None:
    inner = tmp_path.parent / "inner"
    inner.mkdir()

    def call() -> bool:
        mounts.mount_tmpfs(inner)
        return Path("/proc/thread-self/mountinfo").read_text().count(str(inner)) == 1

    assert private_mounts.run_without(mounted, call, deadline=10.0)
    assert not mounts.is_mounted(inner)


def test_what_is_not_mounted_is_told(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=tmp_path.name):
        private_mounts.run_without(tmp_path, lambda: None, deadline=10.0)


def test_another_program_enters_it_by_its_descriptor(mounted: Path) -> None:
    with private_mounts.opened_without(mounted) as fd:
        argv = ("nsenter", f"--mount=/proc/self/fd/{fd}", "ls", str(mounted))
        assert process.run(argv, pass_fds=(fd,)).text() == ""
