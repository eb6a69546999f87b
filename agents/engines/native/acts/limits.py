"""Containers: held still, and changed while they run."""

from agents.engines.base import Engine
from agents.engines.native.containers.updates import update
from agents.engines.native.parts import Parts
from agents.engines.specs import UpdateSpec
from agents.protocol.records import ContainerRecord


class LimitActs(Engine):
    """The engine's part for limits."""

    _parts: Parts

    def pause_container(self, container_id: str) -> ContainerRecord:
        """See :meth:`agents.engines.abilities.limits.Pauses.pause_container`."""
        container = self._parts.containers.find(container_id)
        self._parts.pauser.pause(container)
        return container.record

    def unpause_container(self, container_id: str) -> ContainerRecord:
        """See :meth:`agents.engines.abilities.limits.Pauses.unpause_container`."""
        container = self._parts.containers.find(container_id)
        self._parts.pauser.unpause(container)
        return container.record

    def update_container(self, container_id: str, change: UpdateSpec) -> ContainerRecord:
        """See :meth:`agents.engines.abilities.limits.Updates.update_container`."""
        container = self._parts.containers.find(container_id)
        update(container, change, self._parts.cgroups)
        self._parts.events.container(container.record, "update")
        return container.record
