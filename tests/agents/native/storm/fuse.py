"""Ends this process with SIGKILL before the n-th change that it makes to disk or kernel.

Counted are the interpreter's audit events of changes (files made, written, renamed, removed,
programs started), our calls of the kernel, and netlink messages; also the moment when a
program has been started and nobody has waited for it yet.
"""

import functools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from pyroute2.netlink import nlsocket

from agents.linux import syscalls

_CHANGES = frozenset(
    (
        "os.chmod",
        "os.chown",
        "os.link",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.setxattr",
        "os.symlink",
        "os.truncate",
        "subprocess.Popen",
    )
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CALLS = (
    "clone_idle",
    "mount",
    "mount_setattr",
    "open_tree",
    "renameat2",
    "syncfs",
    "umount2",
    "unshare",
)


class Fuse:
    """Burns at a count. ``arm`` starts the count anew; 0 lets it count without burning."""

    def __init__(self) -> None:
        self.count = 0
        # Told of the program that was just started when it burns.
        self.held: Callable[[int], None] = lambda _: None
        self._at = 0
        self._armed = False
        self._lock = threading.Lock()

    def arm(self, at: int) -> None:
        self.count, self._at, self._armed = 0, at, True

    def disarm(self) -> None:
        self._armed = False

    def step(self, what: str, pid: int = 0) -> None:
        """Count a change; ``pid`` is a program that was just started."""
        if not self._armed:
            return
        with self._lock:
            self.count += 1
            burnt = self.count == self._at
        if burnt:
            self.held(pid)
            os.kill(os.getpid(), signal.SIGKILL)


FUSE = Fuse()


def install() -> None:
    """Have everything counted from now on, also in forked children."""
    sys.addaudithook(_on_event)
    for name in _CALLS:
        if hasattr(syscalls, name):
            setattr(syscalls, name, _counted(name, getattr(syscalls, name)))
    subprocess.Popen.__init__ = _started(subprocess.Popen.__init__)  # type: ignore[method-assign]
    request = nlsocket.NetlinkRequest
    request.send = _counted_async("netlink", request.send)


def _on_event(event: str, args: tuple[Any, ...]) -> None:
    if not FUSE._armed:
        return
    if event in _CHANGES:
        FUSE.step(event)
    elif event == "open" and isinstance(args[2], int) and args[2] & _WRITING:
        FUSE.step("open")


def _counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        FUSE.step(name)
        return function(*args, **kwargs)

    return call


def _counted_async(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        FUSE.step(name)
        return await function(*args, **kwargs)

    return call


def _started(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def call(*args: Any, **kwargs: Any) -> None:
        init(*args, **kwargs)
        FUSE.step("started", args[0].pid)

    return call
