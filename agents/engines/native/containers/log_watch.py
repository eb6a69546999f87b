"""Wakes who waits for a container's next line, by inotify(7).

What is watched is the log's folder, as rotation gives the log another file.
"""

import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from agents.linux import syscalls
from agents.linux.failures import kernel_errors

_EVENTS = syscalls.IN_MODIFY | syscalls.IN_MOVED_TO


@dataclass
class _Watched:
    """The folder of a log that somebody waits for."""

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

    def wait(self, folder: Path, ready: Callable[[], bool], timeout: float) -> bool:
        """Block until ``ready``, asked again at each write in ``folder`` and each ``wake``.

        Returns what ``ready`` said last. The folder must be there.
        """
        deadline = monotonic() + timeout
        with self._lock:
            watched = self._add(folder)
            try:
                while not (answer := ready()):
                    left = deadline - monotonic()
                    if left <= 0 or self._closing:
                        return False
                    watched.changed.wait(left)
                return answer
            finally:
                self._drop(folder, watched)

    def wake(self, folder: Path) -> None:
        """Have everyone who waits for the log in this folder ask again."""
        with self._lock:
            if folder in self._watched:
                self._watched[folder].changed.notify_all()

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

    def _add(self, folder: Path) -> _Watched:
        watched = self._watched.get(folder)
        if watched is not None:
            watched.users += 1
            return watched
        with kernel_errors("watch the log", folder):
            watch = syscalls.inotify_add_watch(self._fd, folder, _EVENTS)
        watched = _Watched(watch, threading.Condition(self._lock))
        self._watched[folder] = watched
        return watched

    def _drop(self, folder: Path, watched: _Watched) -> None:
        watched.users -= 1
        if watched.users == 0:
            del self._watched[folder]
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
