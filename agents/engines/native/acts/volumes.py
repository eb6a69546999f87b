"""Volumes: made, listed, inspected, measured, archived, pruned, removed."""

from collections.abc import Callable, Mapping

from agents.engines.abilities.volumes import Readable
from agents.engines.base import Engine
from agents.engines.native.parts import Parts
from agents.engines.native.volumes import content
from agents.engines.native.volumes.options import without_secrets
from agents.engines.specs import VolumeSpec
from agents.protocol.records import PrunedVolumes, VolumeDetails, VolumeRecord


class VolumeActs(Engine):
    """The engine's part for volumes."""

    _parts: Parts

    def create_volume(self, spec: VolumeSpec) -> VolumeRecord:
        """See :meth:`Engine.create_volume`."""
        is_there = self._parts.volumes.has(spec.name)
        record = self._parts.volumes.create(spec)
        if not is_there:
            self._tell_volume("create", record)
        return record

    def remove_volume(self, name: str) -> None:
        """See :meth:`Engine.remove_volume`."""
        removed = self._parts.creator.volume_use.remove(name)
        if removed is not None:
            self._tell_volume("destroy", removed)

    def list_volumes(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """See :meth:`Engine.list_volumes`."""
        return self._parts.volumes.list(labels)

    def inspect_volume(self, name: str) -> VolumeDetails:
        """See :meth:`agents.engines.abilities.volumes.ManagesVolumes.inspect_volume`."""
        note = self._parts.volumes.note(name)
        return VolumeDetails(
            volume=self._parts.volumes.find(name),
            options=without_secrets(note.options),
            anonymous=note.anonymous,
            created_at=note.created_at,
            used_by=tuple(sorted(self._parts.creator.volume_use.users(name))),
        )

    def prune_volumes(
        self, *, include_named: bool = False, labels: Mapping[str, str] | None = None
    ) -> PrunedVolumes:
        """See :meth:`agents.engines.abilities.volumes.ManagesVolumes.prune_volumes`."""
        use = self._parts.creator.volume_use
        pruned = use.prune(include_named=include_named, labels=labels)
        for name in pruned.names:
            self._parts.events.emit("volume", "destroy", name, name=name)
        return pruned

    def volume_sizes(self) -> dict[str, int]:
        """See :meth:`agents.engines.abilities.volumes.ManagesVolumes.volume_sizes`."""
        return content.sizes(self._parts.volumes)

    def export_volume(
        self, name: str, write: Callable[[bytes], object], *, compress: bool = False
    ) -> None:
        """See :meth:`agents.engines.abilities.volumes.ArchivesVolumes.export_volume`."""
        content.export(self._parts.volumes, name, write, compress=compress)

    def import_volume(self, name: str, source: Readable) -> int:
        """See :meth:`agents.engines.abilities.volumes.ArchivesVolumes.import_volume`."""
        return content.replace(self._parts.volumes, name, source)

    def _tell_volume(self, action: str, record: VolumeRecord) -> None:
        self._parts.events.emit(
            "volume", action, record.name, name=record.name, labels=record.labels
        )
