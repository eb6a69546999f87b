"""Engines that do more with images than take them in."""

from typing import Literal, Protocol, runtime_checkable

from agents.engines.specs import PruneSpec
from agents.protocol.records import HistoryRecord, ImageDetails, ImageRecord, PruneRecord

ArchiveForm = Literal["docker", "oci"]


@runtime_checkable
class KeepsImages(Protocol):
    """An engine whose images can be named, looked into and cleared away.

    Where a ``reference`` is asked for, an id or its unique beginning will do; every method
    raises ``NotFoundError`` for one that is not there.
    """

    def tag_image(self, reference: str, name: str) -> ImageRecord:
        """Give an image one more name, taken from whatever bore it. Idempotent.

        Raises ``InvalidInputError`` for a bad name.
        """
        ...

    def image_history(self, reference: str) -> tuple[HistoryRecord, ...]:
        """Return how an image came about, the newest step first."""
        ...

    def inspect_image(self, reference: str) -> ImageDetails:
        """Return all that is known of an image."""
        ...

    def prune_images(self, spec: PruneSpec | None = None) -> PruneRecord:
        """Remove images that no container, running or not, was made from.

        Never takes what a build, an import or a creation is using. Blocks while it deletes.
        """
        ...
