"""The cgroups of this engine's containers: ``/<parent>/<container id>`` in every hierarchy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from agents.linux import cgroups


class ContainerCgroups:
    """Names the containers' cgroups, and removes their common parent when nobody needs it.

    The runtime makes and removes those of the containers.
    """

    def __init__(self, parent: str) -> None:
        self._parent = parent
        self._layout = cgroups.detect()
        self._lock = threading.Lock()
        self._users = 0

    def path(self, container_id: str) -> str:
        """Return the path of a container's cgroup, as the runtime takes it."""
        return f"/{self._parent}/{container_id}"

    def was_out_of_memory(self, container_id: str) -> bool:
        """Return whether the kernel killed a process of it for want of memory."""
        return cgroups.read_oom_kills(self._layout, self.path(container_id)) > 0

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the parent while the runtime makes a cgroup in it."""
        with self._lock:
            self._users += 1
        try:
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
