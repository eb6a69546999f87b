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
        known = {one.name for one in self._parts.volumes.list()}
        record = self._parts.volumes.create(spec)
        if record.name not in known:
            self._tell_volume("create", record)
        return record

    def remove_volume(self, name: str) -> None:
        """See :meth:`Engine.remove_volume`."""
        users = self._parts.creator.users_of_volume(name)
        if users:
            raise ConflictError(f"the volume {name} is used by {', '.join(sorted(users))}")
        known = [one for one in self._parts.volumes.list() if one.name == name]
        self._parts.volumes.remove(name)
        for one in known:
            self._tell_volume("destroy", one)

    def list_volumes(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """See :meth:`Engine.list_volumes`."""
        return self._parts.volumes.list(labels)

    def _tell_volume(self, action: str, record: VolumeRecord) -> None:
        self._parts.events.emit(
            "volume", action, record.name, name=record.name, labels=record.labels
        )
