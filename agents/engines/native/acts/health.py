"""Health: what the checks of containers said."""

from agents.engines.base import Engine
from agents.engines.native.parts import Parts
from agents.protocol.records import HealthRecord


class HealthActs(Engine):
    """The engine's part for health checks."""

    _parts: Parts

    def find_health(self, container_id: str) -> HealthRecord:
        """See :meth:`agents.engines.abilities.health.ChecksHealth.find_health`."""
        return self._parts.health.find(self._parts.containers.find(container_id))
