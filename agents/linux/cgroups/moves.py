"""Has the kernel keep itself ready to move processes between cgroups.

The first move after a quiet time waits for an RCU grace period, 8 to 20 ms, in which all
processors are made to look at a lock before they fork; the moves that follow within the next
one wait for nothing (``cgroup_threadgroup_rwsem``, see the mount option ``favordynmods`` in
the kernel's ``admin-guide/cgroup-v2``). A container's start does many things before its
process is moved, so the wait can pass meanwhile.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.linux.cgroups.layout import Layout

logger = logging.getLogger(__name__)

# Shorter than a grace period, which is what readiness lasts for.
_STEP = 0.004
_OWN = Path("/proc/thread-self/cgroup")


class Readiness:
    """Keeps the kernel ready for as long as anybody expects a move. Any thread may ask."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = threading.Lock()
        self._users = 0
        self._over = threading.Event()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have moves of processes be quick until the end of the block. Does not wait.

        It is about speed alone: where the kernel has no such thing, nothing happens.
        """
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._over = threading.Event()
                act = threading.Thread(
                    target=_keep, args=(self._layout, self._over), name="cgroups", daemon=True
                )
                act.start()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._over.set()


def _keep(layout: Layout, over: threading.Event) -> None:
    """Move this thread to where it is, which takes the lock that moves take, again and again.

    Only this thread: should somebody move the agent at that very moment, the agent stays moved.
    """
    place = _tasks_file(layout)
    if place is None:
        return
    try:
        with place.open("wb", buffering=0) as file:
            number = str(threading.get_native_id()).encode()
            while not over.is_set():
                file.write(number)
                over.wait(_STEP)
    except OSError as exc:
        logger.debug("the kernel is not kept ready for moves: %s", exc)


def _tasks_file(layout: Layout) -> Path | None:
    """Return the file of this thread's own cgroup that threads are moved by."""
    for line in _OWN.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        first = controllers.partition(",")[0]
        if first in layout.controllers:
            return layout.controllers[first] / path.lstrip("/") / "tasks"
    for line in _OWN.read_text().splitlines():
        if line.startswith("0::") and layout.unified is not None:
            return layout.unified / line.removeprefix("0::").lstrip("/") / "cgroup.threads"
    return None
