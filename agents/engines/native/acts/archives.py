"""Images and containers into archives, and back; containers into images."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import BinaryIO

from agents.engines.abilities.images import ArchiveForm
from agents.engines.base import Engine
from agents.engines.native.build.changes import apply_changes
from agents.engines.native.containers import changes as container_changes
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.root_file_system import make_changes
from agents.engines.native.images import transfer
from agents.engines.native.images.config import HistoryEntry, ImageDocument, RootFs
from agents.engines.native.images.references import normalise
from agents.engines.native.parts import Parts
from agents.errors import NotFoundError
from agents.linux.failures import kernel_errors
from agents.protocol.records import FileChange, ImageRecord


class ArchiveActs(Engine):
    """The engine's part for archives of images and containers."""

    _parts: Parts

    def save_images(
        self, references: Sequence[str], target: BinaryIO, form: ArchiveForm = "docker"
    ) -> None:
        """See :meth:`agents.engines.abilities.images.ArchivesImages.save_images`."""
        transfer.save(self._parts.images, references, target, form)

    def load_images(self, archive: Path) -> tuple[ImageRecord, ...]:
        """See :meth:`agents.engines.abilities.images.ArchivesImages.load_images`."""
        loaded = tuple(one.record() for one in self._parts.images.load_archive(archive))
        for record in loaded:
            self._tell("load", record, "")
        return loaded

    def import_rootfs(
        self,
        archive: Path,
        reference: str,
        *,
        changes: Sequence[str] = (),
        message: str = "",
    ) -> ImageRecord:
        """See :meth:`agents.engines.abilities.images.ArchivesImages.import_rootfs`."""
        adapt = _adapting(changes)
        image = transfer.import_rootfs(self._parts.images, archive, reference, adapt, message)
        self._tell("import", image.record(), reference)
        return image.record()

    def diff_container(self, container_id: str) -> tuple[FileChange, ...]:
        """See :meth:`agents.engines.abilities.images.ReadsChanges.diff_container`."""
        images, container = self._parts.images, self._parts.containers.find(container_id)
        layers = images.find(container.manifest.image_id).layers
        with (
            kernel_errors("read what the container changed"),
            images.layers.draft() as draft,
            container_changes.image_only(layers, draft) as lower,
        ):
            return container_changes.find_changes(lower, container.paths.upper)

    def export_container(self, container_id: str, target: BinaryIO) -> None:
        """See :meth:`agents.engines.abilities.images.ReadsChanges.export_container`."""
        images, container = self._parts.images, self._parts.containers.find(container_id)
        layers = images.find(container.manifest.image_id).layers
        with (
            kernel_errors("export the container"),
            images.layers.draft() as draft,
            container_changes.whole(layers, container.paths.upper, draft) as root,
        ):
            container_changes.write_whole(root, target.write)
        self._parts.events.container(container.record, "export")

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
        """See :meth:`agents.engines.abilities.images.ReadsChanges.commit_container`."""
        container = self._parts.containers.find(container_id)
        if reference:
            normalise(reference)
        adapt = _adapting(changes)
        step = HistoryEntry(
            created_by=" ".join(container.manifest.command), author=author, comment=message
        )
        still = self._parts.pauser.held_still(container) if pause else nullcontext()
        with still:
            image = self._commit(container, step, (reference,) if reference else (), adapt)
        self._parts.events.container(container.record, "commit")
        return image

    def _commit(
        self,
        container: Container,
        step: HistoryEntry,
        references: Sequence[str],
        adapt: transfer.Adapt,
    ) -> ImageRecord:
        images, upper = self._parts.images, container.paths.upper
        image = images.find(container.manifest.image_id)
        with container.lock:
            if container.removed:
                raise NotFoundError(f"the container {container.manifest.name} was removed")
            # One that was never started has none yet.
            make_changes(container.paths, image.layers)
        make = partial(container_changes.make_layer, upper, image.layers)
        return transfer.add_layer(images, image, make, step, references, adapt).record()

    def _tell(self, action: str, record: ImageRecord, reference: str) -> None:
        name = reference or next(iter(record.references), "")
        self._parts.events.emit("image", action, record.id, name=name)


def _adapting(given: Sequence[str]) -> transfer.Adapt:
    """Return what changes a document; bad instructions are refused here and now."""

    def adapt(document: ImageDocument) -> ImageDocument:
        return apply_changes(document, given)

    adapt(ImageDocument(os="linux", rootfs=RootFs()))
    return adapt
