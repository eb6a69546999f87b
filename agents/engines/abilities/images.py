"""Engines that do more with images than take them in."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, runtime_checkable

from agents.engines.specs import PruneSpec
from agents.protocol.records import (
    FileChange,
    HistoryRecord,
    ImageDetails,
    ImageRecord,
    PruneRecord,
)

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

    def prune_build_cache(self, *, unused_for: float = 0.0, keep: int = 0) -> PruneRecord:
        """Forget the build steps that belong to no image and were not used for so many seconds.

        Up to ``keep`` bytes of what was used last stay anyway.
        """
        ...


@runtime_checkable
class ArchivesImages(Protocol):
    """An engine that writes images into archives and takes several from one."""

    def save_images(
        self, references: Sequence[str], target: BinaryIO, form: ArchiveForm = "docker"
    ) -> None:
        """Write one archive with all the images; by id, without names. Blocks for long.

        "docker" is for ``docker load`` and OCI tools both, "oci" a layout and nothing else.
        The same images give the same bytes. Raises ``NotFoundError``.
        """
        ...

    def load_images(self, archive: Path) -> tuple[ImageRecord, ...]:
        """Take in all images of an archive, and return them. Idempotent. Blocks for long.

        Raises ``InvalidInputError``, also for one that holds no image.
        """
        ...

    def import_rootfs(
        self,
        archive: Path,
        reference: str,
        *,
        changes: Sequence[str] = (),
        message: str = "",
    ) -> ImageRecord:
        """Make an image of a tar of a root file system.

        ``changes`` are instructions as in a Dockerfile that change no file: ``CMD``, ``ENV``.
        Raises ``InvalidInputError``.
        """
        ...


@runtime_checkable
class ReadsChanges(Protocol):
    """An engine that tells what a container has changed, and gives it away.

    Containers may be running or not. All raise ``NotFoundError``.
    """

    def diff_container(self, container_id: str) -> tuple[FileChange, ...]:
        """Return what differs from the image, sorted by path."""
        ...

    def export_container(self, container_id: str, target: BinaryIO) -> None:
        """Write the whole file system as a tar, without volumes. Blocks for long."""
        ...

    def commit_container(
        self,
        container_id: str,
        reference: str = "",
        *,
        message: str = "",
        author: str = "",
        changes: Sequence[str] = (),
        pause: bool = True,
    ) -> ImageRecord:
        """Make an image of a container: its own with the changes as one more layer.

        ``pause`` holds it still meanwhile. ``changes`` as of ``ArchivesImages.import_rootfs``.
        Raises ``InvalidInputError``.
        """
        ...
