"""Waits for the next line of a container's log."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from agents.engines.native.containers.container import ENDED, Container
from agents.engines.native.containers.log_data import LogData
from agents.engines.native.containers.log_watch import LogWatch
from agents.engines.native.containers.logs import HOLD, end_position
from agents.errors import KernelError


@contextmanager
def log_of(container: Container) -> Iterator[LogData]:
    """Give a container's log as it is now."""
    with container.log.opened(growing=container.is_alive()) as data:
        yield data


class LogFollower:
    """Joins what is known of containers with what inotify tells of their logs."""

    def __init__(self, watch: LogWatch) -> None:
        self._watch = watch

    def wait(self, container: Container, after: int, timeout: float) -> bool:
        """Block until there is a line past ``after``; see ``Engine.wait_logs``."""
        deadline = monotonic() + timeout
        try:
            while not _is_settled(container, after) and (left := deadline - monotonic()) > 0:
                self._wait_once(container, after, left)
            return _end(container)[0] > after
        except KernelError:
            # Removed between the question and the watch: nothing more comes.
            if not container.removed:
                raise
            return False

    def _wait_once(self, container: Container, after: int, left: float) -> None:
        mark = container.log.mark()

        def has_news() -> bool:
            return container.log.mark() != mark or _is_settled(container, after)

        # A piece that is held back becomes readable by time alone, so look then, too.
        readable, written = _end(container)
        self._watch.wait(
            container.paths.state, has_news, min(left, HOLD) if written > readable else left
        )


def _is_settled(container: Container, after: int) -> bool:
    ended = container.removed or container.status.state in ENDED
    return ended or _end(container)[0] > after


def _end(container: Container) -> tuple[int, int]:
    """Return the positions up to which the log can be read now, and is written."""
    with log_of(container) as data:
        return end_position(data), data.end
