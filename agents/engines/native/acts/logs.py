"""Logs: read and waited for."""

from agents.engines.base import Engine
from agents.engines.native.containers.log_follower import log_of
from agents.engines.native.containers.logs import LogRange, read_lines
from agents.engines.native.parts import Parts
from agents.protocol.records import LogLine


class LogActs(Engine):
    """The engine's part for logs."""

    _parts: Parts

    def read_logs(
        self,
        container_id: str,
        *,
        after: int = 0,
        before: int = 0,
        limit: int = 500,
        newest: bool = False,
    ) -> tuple[LogLine, ...]:
        """See :meth:`Engine.read_logs`."""
        container = self._parts.containers.find(container_id)
        wanted = LogRange(after=after, before=before, limit=limit, newest=newest)
        with log_of(container) as data:
            return read_lines(container.id, data, wanted)

    def wait_logs(self, container_id: str, *, after: int, timeout: float) -> bool:
        """See :meth:`Engine.wait_logs`."""
        return self._parts.log_follower.wait(
            self._parts.containers.find(container_id), after, timeout
        )
