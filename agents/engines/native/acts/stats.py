"""What containers use."""

from collections.abc import Iterator
from contextlib import suppress

from agents.engines.base import Engine
from agents.engines.native.parts import Parts
from agents.engines.native.stats import read_stats
from agents.errors import ConflictError
from agents.protocol.stats import StatsRecord


class StatsActs(Engine):
    """The engine's part for statistics."""

    _parts: Parts

    def read_stats(self, container_id: str) -> StatsRecord:
        """See :meth:`agents.engines.abilities.stats.ReadsStats.read_stats`."""
        return read_stats(self._parts.containers.find(container_id), self._parts.cgroups)

    def read_all_stats(self) -> tuple[StatsRecord, ...]:
        """See :meth:`agents.engines.abilities.stats.ReadsStats.read_all_stats`."""
        return tuple(self._each())

    def _each(self) -> Iterator[StatsRecord]:
        for container in self._parts.containers.list():
            if container.is_alive():
                with suppress(ConflictError):
                    yield read_stats(container, self._parts.cgroups)
