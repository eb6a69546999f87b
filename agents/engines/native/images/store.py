"""The images of this host: ``<root>/images`` with layers, configurations and names.

``index.json`` is the one place that says which images there are; it is replaced as a whole,
so that an image is there entirely or not at all. Everything else that a crash leaves is
removed by :meth:`ImageStore.repair`. A lock file keeps processes and threads apart.
"""

import platform
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agents.engines.native.images.cache import StepCache
from agents.engines.native.images.config import (
    ImageConfig,
    ImageDocument,
    RootFs,
    decode_document,
    digest_of,
    encode_document,
    parse_time,
    view,
)
from agents.engines.native.images.durable import locked, locked_if_free, write_file
from agents.engines.native.images.importer import Importer
from agents.engines.native.images.index import Entry, Index
from agents.engines.native.images.layers import PREFIX, Draft, LayerStore
from agents.engines.native.images.references import normalise
from agents.errors import ConflictError, InvalidInputError, NotFoundError
from agents.linux.failures import kernel_errors
from agents.protocol.records import ImageRecord

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """An image that is there. ``layers`` are folders for overlayfs, lowest first."""

    id: str
    references: tuple[str, ...]
    config: ImageConfig
    layers: tuple[Path, ...]
    diff_ids: tuple[str, ...]
    size: int
    created_at: float
    document: ImageDocument

    def record(self) -> ImageRecord:
        """Return the image as others see it."""
        return ImageRecord(
            id=self.id, references=self.references, size=self.size, created_at=self.created_at
        )


def host_architecture() -> str:
    """Return this machine's architecture in the words of image platforms."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


class ImageStore:
    """Images below ``root``/images. All methods may be called from any thread or process.

    Raises ``OutOfSpaceError`` and ``KernelError`` besides what each method says.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "images"
        self._blobs = self._root / "blobs" / "sha256"
        self._index = self._root / "index.json"
        with kernel_errors("make the image store", self._root):
            self._blobs.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.layers = LayerStore(self._root)
            self.cache = StepCache(self._root)

    def list(self) -> tuple[ImageRecord, ...]:
        """Return all images, newest first."""
        with kernel_errors("read", self._index):
            index = self._read()
        records = (
            ImageRecord(
                id=image_id,
                references=index.names(image_id),
                size=entry.size,
                created_at=entry.created_at,
            )
            for image_id, entry in index.images.items()
        )
        return tuple(sorted(records, key=lambda one: (-one.created_at, one.id)))

    def find(self, reference: str) -> StoredImage:
        """Return an image by name, id or unique beginning of the id.

        Raises ``NotFoundError``, ``InvalidInputError``.
        """
        with kernel_errors("read an image of", self._root):
            index = self._read()
            image_id = index.resolve(reference)
            try:
                return self._load(index, image_id)
            except FileNotFoundError as exc:
                # It was removed between the two reads.
                raise NotFoundError(f"There is no image {reference!r} on this host.") from exc

    def import_archive(
        self, path: Path, reference: str = "", *, created: float | None = None
    ) -> StoredImage:
        """Take in an archive and return its (first) image. Idempotent. Blocks for long.

        ``reference`` names the first image besides the names in the archive; a root file
        system needs one and is dated ``created``, by default now.

        Raises ``InvalidInputError``, ``NotSupportedError``, ``NotFoundError`` (no such file).
        """
        if reference:
            normalise(reference)
        if not path.is_file():
            raise NotFoundError(f"There is no archive {path}.", file=str(path))
        moment = time.time() if created is None else created
        with kernel_errors("import", path), self._swept_on_failure(), self.building():
            importer = Importer(self.layers, self.keep_layer, host_architecture())
            images = importer.read(path, reference, moment)
            stored = [self.commit(one.document, one.diff_ids, one.references) for one in images]
        return stored[0]

    def commit(
        self,
        document: ImageDocument | bytes,
        diff_ids: Sequence[str],
        references: Sequence[str] = (),
    ) -> StoredImage:
        """Make an image of layers that are there; names are taken from other images.

        Raises ``InvalidInputError`` for a bad name, ``NotFoundError`` for a missing layer.
        """
        if isinstance(document, ImageDocument):
            rootfs = RootFs(diff_ids=tuple(diff_ids))
            document = encode_document(msgspec.structs.replace(document, rootfs=rootfs))
        names = [str(normalise(one)) for one in references]
        image_id, layers = digest_of(document), tuple(diff_ids)
        entry = Entry(
            layers=layers,
            size=sum(self.layers.size(one) for one in layers),
            created_at=parse_time(decode_document(document).created),
        )
        with kernel_errors("store the image", self._root), self._locked():
            self._require_layers(layers)
            self.layers.make_durable(layers)
            write_file(self._blob(image_id), document)
            self._write(self._read().with_image(image_id, entry, names))
        return self.find(image_id)

    def tag(self, image: str, reference: str) -> StoredImage:
        """Give an image one more name; it is taken from whatever bore it. Idempotent."""
        name = normalise(reference)
        if name.digest:
            raise InvalidInputError(f"{reference!r} has a digest, which no tag can have.")
        with kernel_errors("tag", self._root), self._locked():
            index = self._read()
            image_id = index.resolve(image)
            self._write(index.with_image(image_id, index.images[image_id], (str(name),)))
        return self.find(image_id)

    def remove(self, reference: str, in_use: Collection[str] = ()) -> None:
        """Remove one name, and the image with its last name; an id removes all its names.

        ``in_use`` holds the ids that containers use. Raises ``NotFoundError``,
        ``ConflictError`` if the image would go and is in use.
        """
        with kernel_errors("remove an image from", self._root), self._locked():
            index = self._read()
            image_id = index.resolve(reference)
            left = index.without_names(index.named(reference, image_id))
            if left.names(image_id):
                self._write(left)
            else:
                self._forget(index, {image_id}, in_use)

    def prune(self, in_use: Collection[str] = ()) -> tuple[str, ...]:
        """Remove the images without a name that no container uses; return their ids."""
        with kernel_errors("prune", self._root), self._locked():
            index = self._read()
            gone = set(index.images) - set(index.references.values()) - set(in_use)
            self._forget(index, gone, ())
        return tuple(sorted(gone))

    def prune_cache(self, unused_for: float) -> None:
        """Forget build steps not used for so many seconds, and the layers only they hold."""
        with kernel_errors("prune", self._root), self._locked():
            self.cache.forget_older(time.time() - unused_for)
            self._sweep()

    def repair(self) -> None:
        """Remove what crashes have left. Harmless while others import or build."""
        with kernel_errors("repair", self._root):
            self.layers.repair()
            with self._locked():
                known = {one.removeprefix(PREFIX) for one in self._read().images}
                for blob in self._blobs.iterdir():
                    if blob.name not in known:
                        blob.unlink()
                self._sweep()

    @contextmanager
    def building(self) -> Iterator[None]:
        """Keep the layers that are not part of an image yet while a build or import runs."""
        with locked(self._root / "building.lock", shared=True):
            yield

    def keep_layer(self, draft: Draft, diff_id: str, size: int) -> None:
        """Take a draft's layer into the store, inside :meth:`building`."""
        with kernel_errors("store a layer in", self._root), self._locked():
            self.layers.keep(draft, diff_id, size)

    def _forget(self, index: Index, gone: Collection[str], in_use: Collection[str]) -> None:
        used = sorted(set(gone) & set(in_use))
        if used:
            raise ConflictError(
                f"A container uses the image {used[0][7:19]}.", hint="Remove the container first."
            )
        left = index.without_images(gone)
        self._write(left)
        self.cache.forget_layers(index.layers() - left.layers())
        for image_id in gone:
            self._blob(image_id).unlink(missing_ok=True)
        self._sweep()

    @contextmanager
    def _swept_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with self._locked():
                self._sweep()
            raise

    def _sweep(self) -> None:
        """Remove layers that nothing needs, unless somebody is at work: then a later call does."""
        with locked_if_free(self._root / "building.lock") as free:
            if free:
                self.layers.sweep(self._read().layers() | self.cache.layers())

    def _load(self, index: Index, image_id: str) -> StoredImage:
        entry = index.images[image_id]
        document = decode_document(self._blob(image_id).read_bytes())
        return StoredImage(
            id=image_id,
            references=index.names(image_id),
            config=view(document),
            layers=tuple(self.layers.path(one) for one in entry.layers),
            diff_ids=entry.layers,
            size=entry.size,
            created_at=entry.created_at,
            document=document,
        )

    def _require_layers(self, diff_ids: Iterable[str]) -> None:
        for diff_id in diff_ids:
            if not self.layers.has(diff_id):
                raise NotFoundError(f"The layer {diff_id} is not there.")

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self._root / "store.lock")

    def _blob(self, image_id: str) -> Path:
        return self._blobs / image_id.removeprefix(PREFIX)

    def _read(self) -> Index:
        try:
            data = self._index.read_bytes()
        except FileNotFoundError:
            return Index()
        return msgspec.json.decode(data, type=Index)

    def _write(self, index: Index) -> None:
        write_file(self._index, msgspec.json.encode(index))
