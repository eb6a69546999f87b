"""Network namespaces that a path keeps alive.

The kernel keeps a namespace while something refers to it; here that is a bind mount of its
file on a path (as ip-netns(8) does), so it outlives the agent.

Namespaces belong to threads, so the work is done in a thread that is made for it and ends
after it: measured, that is 0.5 ms where a forked child of a small process takes 2.3 ms, and
nothing is copied from the agent. Such a thread never goes back to a pool.
"""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Generic, TypeVar

from agents.errors import TimedOutError
from agents.linux import mounts, syscalls
from agents.linux.failures import kernel_errors

T = TypeVar("T")

DEADLINE = 30.0


class _Task(threading.Thread, Generic[T]):
    """A thread that does one thing, and hands over what it gave or raised."""

    def __init__(self, function: Callable[[], T]) -> None:
        super().__init__(name="namespace", daemon=True)
        self._function = function
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result.append(self._function())
        except BaseException as exc:  # noqa: BLE001 - raised again in the thread that waits
            self._error = exc

    def result(self, deadline: float) -> T:
        self.join(deadline)
        if self.is_alive():
            raise TimedOutError(f"a namespace did not answer within {deadline} seconds")
        if self._error is not None:
            raise self._error
        return self._result[0]


def in_new_thread(function: Callable[[], T], *, deadline: float = DEADLINE) -> T:
    """Run ``function`` in a thread of its own and return what it returns.

    What it raises is raised here. Raises TimedOutError past ``deadline`` seconds; the
    thread is then left behind.
    """
    task = _Task(function)
    task.start()
    return task.result(deadline)


def run_inside(path: Path, function: Callable[[], T], *, deadline: float = DEADLINE) -> T:
    """Run ``function`` in the network namespace at ``path``; sockets it opens stay there."""

    def enter() -> T:
        with kernel_errors("enter the network namespace", path):
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                syscalls.setns(fd, syscalls.CLONE_NEWNET)
            finally:
                os.close(fd)
        return function()

    return in_new_thread(enter, deadline=deadline)


def create_network_namespace(path: Path) -> None:
    """Make a network namespace that ``path`` keeps, with its folder. Idempotent.

    Raises KernelError.
    """
    if is_network_namespace(path):
        return
    with ExitStack() as stack:
        with kernel_errors("create", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        stack.callback(path.unlink, missing_ok=True)
        with kernel_errors("make a network namespace at", path):
            in_new_thread(lambda: _unshare_to(path))
        stack.pop_all()


def _unshare_to(path: Path) -> None:
    syscalls.unshare(syscalls.CLONE_NEWNET)
    syscalls.mount("/proc/thread-self/ns/net", path, "", syscalls.MS_BIND)


def keep_network_namespace(pid: int, path: Path) -> None:
    """Keep the network namespace of a process by ``path``, in place of one kept there before.

    Raises KernelError, with ESRCH or ENOENT when there is no such process.
    """
    remove_network_namespace(path)
    with ExitStack() as stack:
        with kernel_errors("create", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        stack.callback(path.unlink, missing_ok=True)
        with kernel_errors("keep the network namespace of process", str(pid)):
            syscalls.mount(f"/proc/{pid}/ns/net", path, "", syscalls.MS_BIND)
        stack.pop_all()


def remove_network_namespace(path: Path) -> None:
    """Let go of the namespace at ``path``; it ends with its last process. Idempotent."""
    mounts.unmount(path)
    with kernel_errors("remove", path):
        path.unlink(missing_ok=True)


def is_network_namespace(path: Path) -> bool:
    """Return whether ``path`` keeps a namespace, and is not only a file left by a reboot."""
    entry = mounts.find_mount(path)
    return entry is not None and entry.fstype == "nsfs" and entry.root.startswith("net:")


def inode(path: Path) -> int:
    """Return the inode number of a namespace file, which names the namespace itself.

    ``/proc/<pid>/ns/net`` has the same one for a process inside. Raises KernelError.
    """
    with kernel_errors("look at", path):
        return path.stat().st_ino
