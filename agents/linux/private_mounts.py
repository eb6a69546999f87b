"""Mount namespaces of a thread's own, in which something of the host's is not mounted.

What is mounted on the host meanwhile still arrives where its mounts propagate (they are
"slave" here); nothing that is done inside leaves. See mount_namespaces(7).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from agents.linux import namespaces, syscalls
from agents.linux.failures import kernel_errors

T = TypeVar("T")


def run_without(target: Path, function: Callable[[], T], *, deadline: float) -> T:
    """Run ``function`` in a new thread, in a copy of our mounts in which ``target`` is not.

    A program that it starts stays there, and keeps the copies of mounts that do not
    propagate until it ends. What ``function`` raises is raised here.

    Raises:
        KernelError: the copy cannot be made, or nothing is mounted at ``target``.
        TimedOutError: ``function`` took more than ``deadline`` seconds.
    """

    def enter() -> T:
        _leave_host()
        _hide(target)
        return function()

    return namespaces.in_new_thread(enter, deadline=deadline)


def run_apart(function: Callable[[], T], *, deadline: float) -> T:
    """Run ``function`` in a new thread; what it mounts is there for it alone, and ends with it.

    It raises as :func:`run_without`.
    """

    def enter() -> T:
        _leave_host()
        return function()

    return namespaces.in_new_thread(enter, deadline=deadline)


@contextmanager
def opened_without(target: Path) -> Iterator[int]:
    """Give the file descriptor of such a namespace, for setns(2); closed afterwards."""

    def enter() -> int:
        _leave_host()
        _hide(target)
        with kernel_errors("open a mount namespace"):
            return os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)

    fd = namespaces.in_new_thread(enter)
    try:
        yield fd
    finally:
        os.close(fd)


def _leave_host() -> None:
    """Give the calling thread mounts of its own. Its directory is then its own as well."""
    with kernel_errors("make a mount namespace"):
        syscalls.unshare(syscalls.CLONE_FS | syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_SLAVE)


def _hide(target: Path) -> None:
    with kernel_errors("unmount in a namespace of its own", target):
        syscalls.umount2(target, syscalls.MNT_DETACH)
