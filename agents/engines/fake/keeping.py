"""The fake engine's images: named, looked into and cleared away."""

from agents.engines.base import Engine
from agents.engines.fake.containers import Containers
from agents.engines.fake.images import Images
from agents.engines.specs import PruneSpec
from agents.errors import InvalidInputError
from agents.protocol.records import (
    HistoryRecord,
    ImageDetails,
    ImageRecord,
    LayerRecord,
    PruneRecord,
)


class ImageKeeping(Engine):
    """See :class:`agents.engines.abilities.images.KeepsImages`."""

    _images: Images
    _containers: Containers

    def tag_image(self, reference: str, name: str) -> ImageRecord:
        """Give an image one more name."""
        if not name or " " in name or name != name.lower():
            raise InvalidInputError(f"{name!r} is no image reference", field="image")
        with self._containers.lock:
            return self._images.tag(self._images.find(reference).record.id, name)

    def image_history(self, reference: str) -> tuple[HistoryRecord, ...]:
        """Return one step, as a fake image has no more."""
        record = self.find_image(reference)
        return (HistoryRecord(id=record.id, created_at=record.created_at, size=record.size),)

    def inspect_image(self, reference: str) -> ImageDetails:
        """Return what there is to a fake image."""
        record = self.find_image(reference)
        users = (one.id for one in self.list_containers() if one.image_id == record.id)
        return ImageDetails(
            id=record.id,
            references=record.references,
            created_at=record.created_at,
            os="linux",
            layers=(LayerRecord(diff_id=record.id, size=record.size),),
            size=record.size,
            containers=tuple(sorted(users)),
        )

    def prune_images(self, spec: PruneSpec | None = None) -> PruneRecord:
        """Remove unused images; a fake image has no labels."""
        spec = spec or PruneSpec()
        with self._containers.lock:
            in_use = {one.record.image_id for one in self._containers.list()}
            gone = [one for one in self._images.list() if one.id not in in_use and _fits(one, spec)]
            for one in gone:
                self._images.remove_name(one.id)
        return PruneRecord(
            removed=tuple(one.id for one in gone), freed=sum(one.size for one in gone)
        )

    def prune_build_cache(self, *, unused_for: float = 0.0, keep: int = 0) -> PruneRecord:
        """Remove nothing: fake builds have no cache."""
        del unused_for, keep
        return PruneRecord()


def _fits(image: ImageRecord, spec: PruneSpec) -> bool:
    is_meant = (spec.all or not image.references) and (not spec.ids or image.id in spec.ids)
    return is_meant and not spec.labels and (spec.until is None or image.created_at <= spec.until)
