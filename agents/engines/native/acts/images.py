"""Images: taken in, built, listed, removed."""

from pathlib import Path

from agents.engines.base import Cancelled, Engine, Output, never
from agents.engines.native.parts import Parts
from agents.engines.specs import BuildSpec, PruneSpec
from agents.protocol.records import HistoryRecord, ImageDetails, ImageRecord, PruneRecord


class ImageActs(Engine):
    """The engine's part for images."""

    _parts: Parts

    def list_images(self) -> tuple[ImageRecord, ...]:
        """See :meth:`Engine.list_images`."""
        return self._parts.images.list()

    def find_image(self, reference: str) -> ImageRecord:
        """See :meth:`Engine.find_image`."""
        return self._parts.images.find(reference).record()

    def import_image(self, archive: Path, reference: str = "") -> ImageRecord:
        """See :meth:`Engine.import_image`."""
        record = self._parts.images.import_archive(archive, reference).record()
        self._tell_image("import", record, reference)
        return record

    def remove_image(self, reference: str) -> None:
        """See :meth:`Engine.remove_image`."""
        record = self._parts.images.find(reference).record()
        self._parts.images.remove(reference, self._parts.creator.images_in_use)
        if reference != record.id:
            self._tell_image("untag", record, reference)
        if record.id not in {one.id for one in self._parts.images.list()}:
            self._tell_image("delete", record, reference)

    def build_image(
        self, spec: BuildSpec, output: Output, cancelled: Cancelled = never
    ) -> ImageRecord:
        """See :meth:`agents.engines.base.Builds.build_image`."""
        return self._parts.builder.build(spec, output, cancelled).record()

    def tag_image(self, reference: str, name: str) -> ImageRecord:
        """See :meth:`agents.engines.abilities.images.KeepsImages.tag_image`."""
        record = self._parts.images.tag(reference, name).record()
        self._tell_image("tag", record, name)
        return record

    def image_history(self, reference: str) -> tuple[HistoryRecord, ...]:
        """See :meth:`agents.engines.abilities.images.KeepsImages.image_history`."""
        return self._parts.images.history(reference)

    def inspect_image(self, reference: str) -> ImageDetails:
        """See :meth:`agents.engines.abilities.images.KeepsImages.inspect_image`."""
        return self._parts.images.inspect(reference, self._parts.creator.image_ids)

    def prune_images(self, spec: PruneSpec | None = None) -> PruneRecord:
        """See :meth:`agents.engines.abilities.images.KeepsImages.prune_images`."""
        pruned = self._parts.images.prune(spec, self._parts.creator.images_in_use)
        for image_id in pruned.removed:
            self._parts.events.emit("image", "delete", image_id)
        return pruned

    def prune_build_cache(self, *, unused_for: float = 0.0, keep: int = 0) -> PruneRecord:
        """See :meth:`agents.engines.abilities.images.KeepsImages.prune_build_cache`."""
        return self._parts.images.prune_cache(unused_for, keep)

    def _tell_image(self, action: str, record: ImageRecord, reference: str) -> None:
        name = reference or next(iter(record.references), "")
        self._parts.events.emit("image", action, record.id, name=name)
