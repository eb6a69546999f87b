"""Wakes who waits for a container's next line, by inotify(7)."""

import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from agents.linux import syscalls
from agents.linux.failures import kernel_errors


@dataclass
class _Watched:
    """A log that somebody waits for."""

    watch: int
    changed: threading.Condition
    users: int = 1


class LogWatch:
    """One inotify instance and one thread for all logs, however many wait.

    (An instance for each would soon meet fs.inotify.max_user_instances, 128.)
    """

    def __init__(self) -> None:
        with kernel_errors("start inotify"):
            self._fd = syscalls.inotify_init1()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._watched: dict[Path, _Watched] = {}
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="log-watch", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def wait(self, path: Path, ready: Callable[[], bool], timeout: float) -> bool:
        """Block until ``ready``, asked again at each write to ``path`` and each ``wake``.

        Returns what ``ready`` said last. The file must be there.
        """
        deadline = monotonic() + timeout
        with self._lock:
            watched = self._add(path)
            try:
                while not (answer := ready()):
                    left = deadline - monotonic()
                    if left <= 0 or self._closing:
                        return False
                    watched.changed.wait(left)
                return answer
            finally:
                self._drop(path, watched)

    def wake(self, path: Path) -> None:
        """Have everyone who waits for this log ask again."""
        with self._lock:
            if path in self._watched:
                self._watched[path].changed.notify_all()

    def close(self) -> None:
        """End the thread; who waits gets False. Idempotent."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            for watched in self._watched.values():
                watched.changed.notify_all()
        os.eventfd_write(self._wake, 1)
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._fd)
        os.close(self._wake)

    def _add(self, path: Path) -> _Watched:
        watched = self._watched.get(path)
        if watched is not None:
            watched.users += 1
            return watched
        with kernel_errors("watch the log", path):
            watch = syscalls.inotify_add_watch(self._fd, path, syscalls.IN_MODIFY)
        watched = _Watched(watch, threading.Condition(self._lock))
        self._watched[path] = watched
        return watched

    def _drop(self, path: Path, watched: _Watched) -> None:
        watched.users -= 1
        if watched.users == 0:
            del self._watched[path]
            self._remove(watched.watch)

    def _remove(self, watch: int) -> None:
        try:
            syscalls.inotify_rm_watch(self._fd, watch)
        except OSError:
            # The file was removed meanwhile, and its watch with it; or we are closed.
            return

    def _run(self) -> None:
        poller = select.poll()
        poller.register(self._fd, select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        while not self._closing:
            poller.poll()
            self._tell({event.watch for event in syscalls.read_inotify(self._fd)})

    def _tell(self, watches: set[int]) -> None:
        with self._lock:
            for watched in self._watched.values():
                if watched.watch in watches:
                    watched.changed.notify_all()
