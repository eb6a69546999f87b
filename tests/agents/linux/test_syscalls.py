import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.linux import syscalls


@pytest.fixture
def inotify() -> Iterator[int]:
    fd = syscalls.inotify_init1()
    yield fd
    os.close(fd)


def test_a_failing_call_has_errno_and_path(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as raised:
        syscalls.umount2(tmp_path / "missing")
    assert raised.value.filename == str(tmp_path / "missing")


def test_changes_of_a_folder_arrive_with_their_names(inotify: int, tmp_path: Path) -> None:
    watch = syscalls.inotify_add_watch(inotify, tmp_path, syscalls.IN_CREATE | syscalls.IN_DELETE)
    (tmp_path / "naïve").touch()
    (tmp_path / "naïve").unlink()
    events = syscalls.read_inotify(inotify)
    expected = [(watch, syscalls.IN_CREATE, "naïve"), (watch, syscalls.IN_DELETE, "naïve")]
    assert [(one.watch, one.mask, one.name) for one in events] == expected


def test_a_quiet_descriptor_gives_nothing(inotify: int, tmp_path: Path) -> None:
    watch = syscalls.inotify_add_watch(inotify, tmp_path, syscalls.IN_CREATE)
    assert syscalls.read_inotify(inotify) == []
    syscalls.inotify_rm_watch(inotify, watch)
    assert [one.mask for one in syscalls.read_inotify(inotify)] == [syscalls.IN_IGNORED]


def test_a_watched_file_itself_has_no_name(inotify: int, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    syscalls.inotify_add_watch(inotify, path, syscalls.IN_MODIFY)
    path.write_text("line\n")
    assert {one.name for one in syscalls.read_inotify(inotify)} == {""}


@pytest.mark.root
def test_an_idle_child_does_not_hold_on_to_locks_that_we_let_go_of(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("new namespaces need root")
    path = tmp_path / "lock"
    with path.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        child = syscalls.clone_idle(syscalls.CLONE_NEWUTS)
    try:
        with path.open() as second:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        syscalls.end_idle(child)
