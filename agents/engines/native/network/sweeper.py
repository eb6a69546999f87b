"""Removes the cables of detached containers in the background, many at a time.

The kernel takes 15 ms to remove one, and as long to remove twenty together; nobody has to
wait for that.
"""

import logging
import threading
from collections.abc import Callable

from agents.errors import AgentError
from agents.linux import netlink

logger = logging.getLogger(__name__)


class Sweeper:
    """A thread that is there while there is something to remove.

    ``done`` is called with a container's id once its cables are gone. The first caller's
    network namespace is where it works.
    """

    def __init__(self, done: Callable[[str], None]) -> None:
        self._done = done
        self._changed = threading.Condition()
        self._queue: dict[str, tuple[str, ...]] = {}
        self._busy: dict[str, tuple[str, ...]] = {}
        self._is_running = False

    def sweep(self, container_id: str, links: tuple[str, ...]) -> None:
        """Have the cables of a container removed soon."""
        with self._changed:
            self._queue[container_id] = links
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="sweeper", daemon=True).start()

    def wait(self, container_id: str | None = None) -> None:
        """Block until the cables of a container, or all, are gone."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_clean(container_id))

    def _is_clean(self, container_id: str | None) -> bool:
        if container_id is None:
            return not self._queue and not self._busy
        return container_id not in self._queue and container_id not in self._busy

    def _run(self) -> None:
        while self._take():
            try:
                netlink.delete_links(link for links in self._busy.values() for link in links)
                for container_id in self._busy:
                    self._done(container_id)
            except (AgentError, OSError):
                # Their records are still there, so the next start of the agent removes them.
                logger.exception("cables of containers cannot be removed")
            with self._changed:
                self._busy = {}
                self._changed.notify_all()

    def _take(self) -> bool:
        with self._changed:
            self._busy, self._queue = self._queue, {}
            self._is_running = bool(self._busy)
            return self._is_running
