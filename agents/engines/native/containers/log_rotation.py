"""Keeps the logs of running containers within their bounds.

conmon 2.1 has no rotation that keeps a line: what ``--log-size-max`` drops, it drops whole.
So a file is set aside here, and conmon told by its control pipe to open its log anew, as
CRI-O tells it to (message 2 of its ``ctl`` file); it does so between two writes.
"""

import logging
import os
import threading
from contextlib import suppress
from time import monotonic

from agents.engines.native.containers.container import Container
from agents.engines.native.containers.supervisor import Supervisor
from agents.engines.specs import LogSpec
from agents.errors import AgentError

logger = logging.getLogger(__name__)

MAX_SIZE = 20 * 1024 * 1024
MAX_FILES = 5

# How often sizes are looked at: seldom while all is quiet, often while one may soon be full.
LONGEST_PAUSE = 2.0
SHORTEST_PAUSE = 0.1
# What conmon may take for opening its log before it is told again; telling it twice in vain
# would throw away what it wrote in between.
PATIENCE = 10.0
_REOPEN = b"2 0 0\n"


class _Watched:
    """The log of one run of a container."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.run = container.run
        self.max_size, self.max_files = bounds(container.manifest.spec.log)
        self.size = 0
        self.told_at = 0.0
        self.is_untidy = True

    @property
    def is_current(self) -> bool:
        return self.container.run == self.run and self.container.is_alive()


class LogRotation:
    """Looks at the sizes of all running containers' logs, from the supervisor's threads."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._looked_at = monotonic()

    def watch(self, container: Container) -> None:
        """Keep the log of a container bounded while it runs; returns at once."""
        with self._lock:
            is_first = not self._watched
            self._watched[container.id] = _Watched(container)
        if is_first:
            self._supervisor.after(SHORTEST_PAUSE, self._look)

    def _look(self) -> None:
        now, before = monotonic(), self._looked_at
        self._looked_at = now
        with self._lock:
            ended = [id for id, one in self._watched.items() if not one.is_current]
            for container_id in ended:
                del self._watched[container_id]
            watched = tuple(self._watched.values())
        if watched:
            pause = min(_look_at(one, max(now - before, 0.001)) for one in watched)
            self._supervisor.after(max(SHORTEST_PAUSE, pause), self._look)


def bounds(spec: LogSpec) -> tuple[int, int]:
    """Return the size at which a file is full, and how many are kept with the one written."""
    return spec.max_size or MAX_SIZE, spec.max_files or MAX_FILES


def _look_at(watched: _Watched, elapsed: float) -> float:
    """Rotate a log that is full; return the seconds after which to look again."""
    container = watched.container
    try:
        size = container.log.size()
        if size is None:
            _tell_again(watched)
            return SHORTEST_PAUSE
        watched.told_at = 0.0
        if watched.is_untidy:
            _tidy(watched)
        if size >= watched.max_size:
            _rotate(watched)
            return SHORTEST_PAUSE
    except AgentError as error:
        logger.warning("the log of %s cannot be rotated: %s", container.id, error.message)
        return LONGEST_PAUSE
    grown = max(0, size - watched.size)
    watched.size = size
    # Half of the time until it is full, if it goes on growing so.
    return min(LONGEST_PAUSE, elapsed * (watched.max_size - size) / (2 * max(1, grown)))


def _rotate(watched: _Watched) -> None:
    log = watched.container.log
    if log.set_aside():
        watched.size, watched.is_untidy = 0, True
        _reopen(watched)


def _tidy(watched: _Watched) -> None:
    others = watched.max_files - 1
    watched.container.log.remove_oldest(count=others, size=others * watched.max_size)
    watched.is_untidy = False


def _reopen(watched: _Watched) -> None:
    watched.told_at = monotonic()
    control = watched.container.paths.control
    # No conmon reads there (any more): the next start makes the file.
    with suppress(OSError):
        fd = os.open(control, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(fd, _REOPEN)
        finally:
            os.close(fd)


def _tell_again(watched: _Watched) -> None:
    """Tell conmon once more, if it may not have been told: the agent was killed in between."""
    now = monotonic()
    if not watched.told_at:
        watched.told_at = now
    elif now - watched.told_at > PATIENCE:
        _reopen(watched)
