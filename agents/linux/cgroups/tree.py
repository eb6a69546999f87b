"""Cgroups as folders: who is in them, and their removal."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from agents.errors import KernelError
from agents.linux import process
from agents.linux.cgroups.files import read_text
from agents.linux.cgroups.layout import Layout
from agents.linux.failures import kernel_errors

_LAST_BREATH = 2.0
_STEP = 0.002


def list_processes(layout: Layout, cgroup: str) -> tuple[int, ...]:
    """Return the processes of a cgroup and of those below it, in any hierarchy."""
    found: set[int] = set()
    for folder in layout.folders(cgroup):
        for place, _, _ in os.walk(folder):
            found.update(int(line) for line in read_text(place, "cgroup.procs").split())
    return tuple(sorted(found))


def remove(layout: Layout, cgroup: str) -> None:
    """Remove a cgroup and those below it from all hierarchies. Idempotent.

    Raises KernelError with EBUSY while processes are in it.
    """
    for folder in layout.folders(cgroup):
        for place, _, _ in os.walk(folder, topdown=False):
            with kernel_errors("remove the cgroup", place):
                _remove_one(Path(place))


def end(layout: Layout, cgroup: str) -> bool:
    """Kill all that is in a cgroup and remove it; return whether it is gone. Idempotent.

    Blocks for at most some seconds: what sleeps in the kernel does not die at once.
    """
    deadline = time.monotonic() + _LAST_BREATH
    while True:
        try:
            remove(layout, cgroup)
        except KernelError:
            if time.monotonic() > deadline:
                return False
        else:
            return True
        for pid in list_processes(layout, cgroup):
            process.signal_process(pid, signal.SIGKILL)
        time.sleep(_STEP)


def _remove_one(folder: Path) -> None:
    with suppress(FileNotFoundError):
        folder.rmdir()


def enter_unified(layout: Layout, cgroup: str, pid: int, controllers: tuple[str, ...] = ()) -> None:
    """Put a process into a v2 cgroup on a hybrid host, making it with its parents.

    The runtime knows only the v1 hierarchies there; v2 has pressure, and whatever controller
    is nowhere else, of which those in ``controllers`` are switched on. Does nothing on other
    hosts. Idempotent. Raises KernelError.
    """
    if layout.mode != "hybrid" or layout.unified is None:
        return
    folder = layout.unified / cgroup.lstrip("/")
    with kernel_errors("make the cgroup", folder):
        folder.mkdir(parents=True, exist_ok=True)
        _switch_on(layout.unified, folder, controllers)
        (folder / "cgroup.procs").write_text(str(pid))


def _switch_on(root: Path, folder: Path, controllers: tuple[str, ...]) -> None:
    """Let a cgroup use controllers: each one above it must pass them on."""
    above = [one for one in reversed(folder.parents) if one == root or root in one.parents]
    for controller in controllers:
        for place in above:
            if controller not in read_text(place, "cgroup.subtree_control").split():
                (place / "cgroup.subtree_control").write_text(f"+{controller}")
