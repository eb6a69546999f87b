"""Brings the images of an archive into a layer store."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.images.archive import ImageArchive, ImageSource, LayerSource
from agents.engines.native.images.config import (
    DEFAULT_PATH,
    HistoryEntry,
    ImageDocument,
    RootFs,
    RunConfig,
    decode_document,
    encode_document,
    format_time,
)
from agents.engines.native.images.layers import Draft, LayerStore
from agents.engines.native.images.streams import HashingReader, archive_errors, decompressed, peek
from agents.engines.native.images.unpacking import RATIO_FLOOR, RatioGuard, unpack_layer
from agents.errors import InvalidInputError

Keep = Callable[[Draft, str, int], None]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """An image whose layers are in the store, to be committed."""

    document: bytes
    diff_ids: tuple[str, ...]
    references: tuple[str, ...]


class Importer:
    """Reads archives for one machine's architecture; ``keep`` takes each finished layer."""

    def __init__(self, layers: LayerStore, keep: Keep, architecture: str) -> None:
        self._layers = layers
        self._keep = keep
        self._architecture = architecture

    def read(self, path: Path, reference: str, moment: float) -> tuple[Imported, ...]:
        """Return the images of an archive, at least one.

        Raises ``InvalidInputError``, ``NotSupportedError``, OSError.
        """
        with self._layers.draft() as draft, archive_errors(f"The archive {path.name}"):
            plain = _uncompressed(path, draft)
            with ImageArchive(plain) as archive:
                sources = archive.images(self._architecture)
                if not sources:
                    return (self._named_rootfs(plain, reference, moment),)
                images = [self._read_image(archive, source) for source in sources]
        return _with_name(images, reference)

    def _read_image(self, archive: ImageArchive, source: ImageSource) -> Imported:
        diff_ids = decode_document(source.config).rootfs.diff_ids or ()
        if len(diff_ids) != len(source.layers):
            raise InvalidInputError("The image's configuration and its layers do not match.")
        for diff_id, layer in zip(diff_ids, source.layers, strict=True):
            if not self._layers.has(diff_id):
                self._read_layer(archive, layer, diff_id)
        return Imported(document=source.config, diff_ids=diff_ids, references=source.references)

    def _read_layer(self, archive: ImageArchive, layer: LayerSource, diff_id: str) -> None:
        with self._layers.draft() as draft, archive.open(layer.name) as blob:
            found = unpack_layer(blob, draft)
            if layer.digest and found.blob != layer.digest:
                raise InvalidInputError(f"The layer {layer.digest} does not match its digest.")
            if found.diff_id != diff_id:
                raise InvalidInputError(f"The layer {diff_id} unpacks to {found.diff_id}.")
            self._keep(draft, diff_id, found.size)

    def read_rootfs(self, path: Path, moment: float, message: str = "") -> ImageDocument:
        """Take in a tar of a root file system, and return what describes an image of it.

        Raises ``InvalidInputError``, ``NotSupportedError``, OSError.
        """
        with (
            archive_errors(f"The archive {path.name}"),
            self._layers.draft() as draft,
            path.open("rb") as file,
        ):
            found = unpack_layer(file, draft, layered=False)
            self._keep(draft, found.diff_id, found.size)
        return _rootfs_document(found.diff_id, self._architecture, format_time(moment), message)

    def _named_rootfs(self, path: Path, reference: str, moment: float) -> Imported:
        if not reference:
            raise InvalidInputError(
                "The archive holds a root file system, which has no name of its own.",
                hint="Say what the image shall be called.",
                field="reference",
            )
        document = self.read_rootfs(path, moment)
        return Imported(
            document=encode_document(document),
            diff_ids=document.rootfs.diff_ids or (),
            references=(reference,),
        )


def _rootfs_document(diff_id: str, architecture: str, created: str, message: str) -> ImageDocument:
    step = HistoryEntry(created=created, created_by="import of a root file system", comment=message)
    return ImageDocument(
        created=created,
        architecture=architecture,
        os="linux",
        config=RunConfig(env=(DEFAULT_PATH,), cmd=("/bin/sh",)),
        rootfs=RootFs(diff_ids=(diff_id,)),
        history=(step,),
    )


def _with_name(images: list[Imported], reference: str) -> tuple[Imported, ...]:
    if not reference:
        return tuple(images)
    first = images[0]
    named = Imported(
        document=first.document,
        diff_ids=first.diff_ids,
        references=(*first.references, reference),
    )
    return (named, *images[1:])


def _uncompressed(path: Path, draft: Draft) -> Path:
    """Return a plain tar: the archive itself, or a copy in the draft."""
    with path.open("rb") as file:
        packed = HashingReader(file)
        plain = decompressed(packed, peek(file))
        if plain is packed:
            return path
        guarded = RatioGuard(plain, packed, floor=RATIO_FLOOR)
        copy = draft.path / "archive.tar"
        with copy.open("wb") as out:
            while chunk := guarded.read(1 << 20):
                out.write(chunk)
    return copy
