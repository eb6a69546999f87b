"""Volumes: made, listed, removed."""

from collections.abc import Mapping

from agents.engines.base import Engine
from agents.engines.native.parts import Parts
from agents.engines.specs import VolumeSpec
from agents.errors import ConflictError
from agents.protocol.records import VolumeRecord


class VolumeActs(Engine):
    """The engine's part for volumes."""

    _parts: Parts

    def create_volume(self, spec: VolumeSpec) -> VolumeRecord:
        """See :meth:`Engine.create_volume`."""
        return self._parts.volumes.create(spec)

    def remove_volume(self, name: str) -> None:
        """See :meth:`Engine.remove_volume`."""
        users = self._parts.creator.users_of_volume(name)
        if users:
            raise ConflictError(f"the volume {name} is used by {', '.join(sorted(users))}")
        self._parts.volumes.remove(name)

    def list_volumes(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """See :meth:`Engine.list_volumes`."""
        return self._parts.volumes.list(labels)
