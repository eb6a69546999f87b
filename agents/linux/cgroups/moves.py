"""Has the kernel keep itself ready to move processes between cgroups.

The first move after a quiet time waits for an RCU grace period, 8 to 20 ms, in which all
processors are made to look at a lock before they fork; the moves that follow within the next
one wait for nothing (``cgroup_threadgroup_rwsem``, see the mount option ``favordynmods`` in
the kernel's ``admin-guide/cgroup-v2``). A container's start does many things before its
process is moved, so the wait can pass meanwhile.
"""

import errno
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from agents.linux.cgroups.layout import Layout

logger = logging.getLogger(__name__)

# Shorter than a grace period, which is what readiness lasts for.
_STEP = 0.004
_OWN = Path("/proc/thread-self/cgroup")


class Readiness:
    """Keeps the kernel ready for as long as anybody expects a move. Any thread may ask.

    It is about speed alone: where the kernel has no such thing, nothing happens.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = threading.Lock()
        self._users = 0
        self._until = 0.0
        self._works = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have moves of processes be quick until the end of the block. Does not wait."""
        with self._lock:
            self._users += 1
            self._work()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1

    def keep(self, seconds: float) -> None:
        """Have moves of processes be quick for some time from now. Does not wait."""
        with self._lock:
            self._until = max(self._until, monotonic() + seconds)
            self._work()

    def _work(self) -> None:
        if not self._works:
            self._works = True
            threading.Thread(target=self._run, name="cgroups", daemon=True).start()

    def _run(self) -> None:
        try:
            self._move_nowhere(_tasks_file(self._layout))
        except OSError as exc:
            logger.debug("the kernel is not kept ready for moves: %s", exc)
            with self._lock:
                self._works = False

    def _move_nowhere(self, place: Path) -> None:
        """Move this thread to where it is, which takes the lock that moves take, over and over.

        Only this thread: should somebody move the agent at that very moment, it stays moved.
        """
        with place.open("wb", buffering=0) as file:
            number = str(threading.get_native_id()).encode()
            while self._is_wanted():
                file.write(number)
                sleep(_STEP)

    def _is_wanted(self) -> bool:
        with self._lock:
            # At once, so that whoever comes next knows whether this thread goes on.
            self._works = self._users > 0 or monotonic() < self._until
            return self._works


def _tasks_file(layout: Layout) -> Path:
    """Return the file of this thread's own cgroup that threads are moved by. Raises OSError."""
    for line in _OWN.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        first = controllers.partition(",")[0]
        if first in layout.controllers:
            return layout.controllers[first] / path.lstrip("/") / "tasks"
    for line in _OWN.read_text().splitlines():
        if line.startswith("0::") and layout.unified is not None:
            return layout.unified / line.removeprefix("0::").lstrip("/") / "cgroup.threads"
    raise FileNotFoundError(errno.ENOENT, "no cgroup of this process is mounted", str(_OWN))
