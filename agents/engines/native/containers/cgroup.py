"""The cgroups of this engine's containers: ``/<parent>/<container id>`` in every hierarchy."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.engines.native.limits.memory import check_room
from agents.engines.native.limits.place import Place
from agents.engines.native.limits.settings import NO_LIMITS, make_settings
from agents.engines.specs import Limits
from agents.errors import KernelError, NotFoundError
from agents.linux import cgroups
from agents.linux.cgroups import Counters, Layout
from agents.linux.cgroups.moves import Readiness

# How long processes that were killed may stay in a cgroup.
_LAST_BREATH = 2.0
_STEP = 0.002
# The runtime needs 5 to 30 ms until it moves a process, as busy as the machine is.
_SOON = 0.03


class ContainerCgroups:
    """Names the containers' cgroups, and removes their common parent when nobody needs it.

    The runtime makes and removes those of the containers; the engine writes the limits.
    """

    def __init__(self, parent: str) -> None:
        self._parent = parent
        self._layout = cgroups.host_layout()
        self._readiness = Readiness(self._layout)
        self._lock = threading.Lock()
        self._users = 0

    @property
    def layout(self) -> Layout:
        """Return the layout of this host."""
        return self._layout

    def path(self, container_id: str) -> str:
        """Return the path of a container's cgroup, as the runtime takes it."""
        return f"/{self._parent}/{container_id}"

    def place(self, container_id: str) -> Place:
        """Return where a container's limits are written."""
        return Place(layout=self._layout, cgroup=self.path(container_id))

    def confine(self, container_id: str, limits: Limits, init: int) -> None:
        """Put the limits of a container in force, that the runtime has just created.

        Raises as :func:`agents.linux.cgroups.apply` does.
        """
        controllers = ("hugetlb",) if limits.huge_pages else ()
        cgroups.enter_unified(self._layout, self.path(container_id), init, controllers)
        self.change(container_id, NO_LIMITS, limits)

    def admit(self, container_id: str, pid: int) -> None:
        """Put a process that is about to enter a container where the runtime does not put it.

        Its children are there then from their beginning. Nothing happens when the process or
        the container has ended.
        """
        path = self.path(container_id)
        unified = self._layout.unified
        if unified is not None and (unified / path.lstrip("/")).is_dir():
            with suppress(KernelError):
                cgroups.enter_unified(self._layout, path, pid)

    def change(self, container_id: str, before: Limits, after: Limits) -> None:
        """Bring a container's cgroup from one set of limits to another, wholly or not at all.

        Raises as :func:`agents.linux.cgroups.apply` does.
        """
        check_room(before, after, self.place(container_id))
        settings = make_settings(before, after, self.place(container_id))
        cgroups.apply(self._layout, self.path(container_id), settings)

    def freeze(self, container_id: str) -> None:
        """Freeze a container. Raises as :func:`agents.linux.cgroups.freeze` does."""
        cgroups.freeze(self._layout, self.path(container_id))

    def thaw(self, container_id: str) -> None:
        """Let a container go on. Idempotent, also when it is gone."""
        with suppress(NotFoundError):
            cgroups.thaw(self._layout, self.path(container_id))

    def is_frozen(self, container_id: str) -> bool:
        """Return whether the kernel holds a container still."""
        return cgroups.is_frozen(self._layout, self.path(container_id))

    def counters(self, container_id: str) -> Counters:
        """Return what a container uses."""
        return cgroups.read_counters(self._layout, self.path(container_id))

    def was_out_of_memory(self, container_id: str) -> bool:
        """Return whether the kernel killed a process of it for want of memory."""
        return cgroups.read_oom_kills(self._layout, self.path(container_id)) > 0

    def leave(self, container_id: str) -> None:
        """Remove what the runtime does not know of a container's cgroups. Idempotent."""
        if self._layout.mode == "hybrid" and self._layout.unified is not None:
            _remove_soon(self._layout.unified / self._parent / container_id)

    def remove(self, container_id: str) -> bool:
        """Remove the cgroups of a container that has ended; False if processes are left in one."""
        for folder in self._layout.folders(self.path(container_id)):
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                # Cgroups that the container made below its own, or processes outside its
                # PID namespace.
                return self._remove_below(container_id)
        return True

    def clear(self, container_id: str) -> None:
        """End all that is in a container's cgroups, and remove them. Idempotent.

        For what the runtime was making when it was cut off, and knows nothing of.
        """
        cgroups.end(self._layout, self.path(container_id))

    def _remove_below(self, container_id: str) -> bool:
        try:
            cgroups.remove(self._layout, self.path(container_id))
        except KernelError:
            return False
        return True

    def expect_move(self) -> None:
        """Have the kernel ready for a process that will be moved into a cgroup at once."""
        self._readiness.keep(_SOON)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the parent while the runtime makes a cgroup in it, and the kernel ready for that."""
        with self._lock:
            self._users += 1
        try:
            with self._readiness.kept():
                yield
        finally:
            with self._lock:
                self._users -= 1

    def tidy(self) -> None:
        """Remove the parent if it is empty and nobody is about to use it. Idempotent."""
        with self._lock:
            if self._users:
                return
            for path in self._layout.folders(self._parent):
                # Not there, or containers are in it.
                with suppress(OSError):
                    path.rmdir()


def _remove_soon(folder: Path) -> None:
    """Remove a cgroup as soon as the last of its processes is gone."""
    end = time.monotonic() + _LAST_BREATH
    while folder.exists():
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > end:
                return
            time.sleep(_STEP)
