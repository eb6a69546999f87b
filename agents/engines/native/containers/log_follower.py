"""Waits for the next line of a container's log."""

from time import monotonic

from agents.engines.native.containers.container import ENDED, Container
from agents.engines.native.containers.log_watch import LogWatch
from agents.engines.native.containers.logs import HOLD, Segment, end_position, file_size
from agents.errors import KernelError


def segment_of(container: Container) -> Segment:
    """Return where a container's log is now."""
    return Segment(path=container.paths.log, growing=container.is_alive())


class LogFollower:
    """Joins what is known of containers with what inotify tells of their logs."""

    def __init__(self, watch: LogWatch) -> None:
        self._watch = watch

    def wait(self, container: Container, after: int, timeout: float) -> bool:
        """Block until there is a line past ``after``; see ``Engine.wait_logs``."""
        deadline = monotonic() + timeout
        while not _is_settled(container, after) and (left := deadline - monotonic()) > 0:
            try:
                self._wait_once(container, after, left)
            except KernelError:
                # Removed between the question and the watch: nothing more comes.
                if not container.removed:
                    raise
        return _has_more(container, after)

    def _wait_once(self, container: Container, after: int, left: float) -> None:
        path = container.paths.log
        size = file_size(path)

        def has_news() -> bool:
            return file_size(path) != size or _is_settled(container, after)

        # A piece that is held back becomes readable by time alone, so look then, too.
        is_held = size > end_position(segment_of(container))
        self._watch.wait(path, has_news, min(left, HOLD) if is_held else left)


def _is_settled(container: Container, after: int) -> bool:
    ended = container.removed or container.status.state in ENDED
    return ended or _has_more(container, after)


def _has_more(container: Container, after: int) -> bool:
    return end_position(segment_of(container)) > after
