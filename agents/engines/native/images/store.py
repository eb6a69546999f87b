"""The images of this host: ``<root>/images`` with layers, configurations and names.

``index.json`` is the one place that says which images there are; it is replaced as a whole,
so that an image is there entirely or not at all. Everything else that a crash leaves is
removed by :meth:`ImageStore.repair`. A lock file keeps processes and threads apart.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec

from agents.engines.native.images import details, prune
from agents.engines.native.images.cache import StepCache
from agents.engines.native.images.config import (
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
from agents.engines.native.images.originals import Originals
from agents.engines.native.images.references import normalise
from agents.engines.native.images.removal import remove_file
from agents.engines.native.images.stored import StoredImage as StoredImage
from agents.engines.native.images.stored import host_architecture as host_architecture
from agents.engines.specs import PruneSpec
from agents.errors import ConflictError, InvalidInputError, NotFoundError
from agents.linux.failures import kernel_errors
from agents.protocol.records import HistoryRecord, ImageDetails, ImageRecord, PruneRecord

InUse = Callable[[], Collection[str]]
Containers = Callable[[], Mapping[str, str]]


class ImageStore:
    """Images below ``root``/images. All methods may be called from any thread or process.

    Raises ``OutOfSpaceError`` and ``KernelError`` besides what each method says.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "images"
        self._blobs = self._root / "blobs" / "sha256"
        self._index = self._root / "index.json"
        self._sweep_wanted = self._root / "sweep.wanted"
        with kernel_errors("make the image store", self._root):
            self._blobs.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.layers = LayerStore(self._root)
            self.cache = StepCache(self._root)
            self.originals = Originals(self._root)
        self._pinned: Counter[str] = Counter()
        # Held while it is decided which images go, and while one is pinned.
        self._pins = threading.Lock()

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
                digests=index.repository_digests(image_id),
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
        """Take in an archive and return its first image; see :meth:`load_archive`."""
        return self.load_archive(path, reference, created=created)[0]

    def load_archive(
        self, path: Path, reference: str = "", *, created: float | None = None
    ) -> tuple[StoredImage, ...]:
        """Take in an archive and return its images, at least one. Idempotent. Blocks for long.

        ``reference`` names the first image besides the names in the archive; a root file
        system needs one and is dated ``created``, by default now.

        Raises ``InvalidInputError``, ``NotSupportedError``, ``NotFoundError`` (no such file).
        """
        if reference:
            normalise(reference)
        with kernel_errors("read", path):
            is_there = path.is_file()
        if not is_there:
            raise NotFoundError(f"There is no archive {path}.", file=str(path))
        moment = time.time() if created is None else created
        with kernel_errors("import", path), self.taking_in():
            importer = Importer(self.layers, self.keep_layer, host_architecture())
            images = importer.read(path, reference, moment)
            stored = [self.commit(one.document, one.diff_ids, one.references) for one in images]
        # An archive lists an image once for each of its names.
        return tuple(self.find(one) for one in dict.fromkeys(one.id for one in stored))

    def commit(
        self,
        document: ImageDocument | bytes,
        diff_ids: Sequence[str],
        references: Sequence[str] = (),
        digests: Sequence[str] = (),
    ) -> StoredImage:
        """Make an image of layers that are there; names are taken from other images.

        ``digests`` are what a registry calls it, as ``<repository>@<digest>``.

        Raises ``InvalidInputError`` for a bad name, ``NotFoundError`` for a missing layer.
        """
        if isinstance(document, ImageDocument):
            rootfs = RootFs(diff_ids=tuple(diff_ids))
            document = encode_document(msgspec.structs.replace(document, rootfs=rootfs))
        names = [str(normalise(one)) for one in references]
        called = [str(normalise(one)) for one in digests]
        image_id, layers = digest_of(document), tuple(diff_ids)
        entry = Entry(
            layers=layers,
            size=sum(self.layers.size(one) for one in layers),
            created_at=parse_time(decode_document(document).created),
        )
        with kernel_errors("store the image", self._root):
            # Before the lock is taken, as it may last; what it finds is looked at again.
            self.layers.make_durable(layers)
        with kernel_errors("store the image", self._root), self._locked():
            self._require_layers(layers)
            write_file(self._blob(image_id), document)
            self._write(self._read().with_image(image_id, entry, names, called))
        return self.find(image_id)

    def note_digests(self, image_id: str, digests: Sequence[str]) -> None:
        """Remember what a registry calls an image. Raises ``NotFoundError``."""
        called = [str(normalise(one)) for one in digests]
        with kernel_errors("note a digest in", self._root), self._locked():
            index = self._read()
            entry = index.images[index.resolve(image_id)]
            self._write(index.with_image(image_id, entry, (), called))

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

    def history(self, reference: str) -> tuple[HistoryRecord, ...]:
        """Return how an image came about, newest first. Raises ``NotFoundError``."""
        return details.history(self.find(reference))

    def inspect(self, reference: str, containers: Containers = dict) -> ImageDetails:
        """Return all that is known of an image; ``containers`` gives their image by id.

        Raises ``NotFoundError``, ``InvalidInputError``.
        """
        image = self.find(reference)
        others = {one: entry for one, entry in self._read().images.items() if one != image.id}
        shared = Counter(layer for entry in others.values() for layer in set(entry.layers))
        users = [one for one, image_id in containers().items() if image_id == image.id]
        return details.inspect(image, shared, users)

    @contextmanager
    def using(self, reference: str) -> Iterator[None]:
        """Keep an image, if there is such a one, from being removed meanwhile.

        For those who note a use that ``in_use`` of the other methods tells only later.
        """
        with self._pins:
            image_id = self._resolve_or_empty(reference)
            self._pinned[image_id] += 1
        try:
            yield
        finally:
            with self._pins:
                self._pinned[image_id] -= 1

    def remove(self, reference: str, in_use: InUse = frozenset) -> None:
        """Remove one name, and the image with its last name; an id removes all its names.

        ``in_use`` gives the ids that containers use. Raises ``NotFoundError``,
        ``ConflictError`` if the image would go and is in use.
        """
        with kernel_errors("remove an image from", self._root):
            with self._deciding(in_use) as used:
                index = self._read()
                image_id = index.resolve(reference)
                left = index.without_names(index.named(reference, image_id))
                if left.names(image_id):
                    self._write(left)
                else:
                    _refuse_used(image_id, used)
                    self._forget(index, {image_id})
            self._sweep()

    def prune(self, spec: PruneSpec | None = None, in_use: InUse = frozenset) -> PruneRecord:
        """Remove the images that are meant and that no container uses."""
        spec = spec or PruneSpec()
        with kernel_errors("prune", self._root):
            with self._deciding(in_use) as used:
                index = self._read()
                gone = [one for one in prune.choose(index, spec, used) if self._is_meant(one, spec)]
                freed = self._forget(index, gone, keep_steps=spec.keep_steps)
            freed += self._sweep()
        return PruneRecord(removed=tuple(sorted(gone)), freed=freed)

    def prune_cache(self, unused_for: float, keep: int = 0) -> PruneRecord:
        """Forget build steps of no image that were not used for so many seconds.

        Of their layers the last used stay up to ``keep`` bytes. Return the steps' keys.
        """
        with kernel_errors("prune", self._root):
            with self._locked():
                spared = self._read().layers()
                gone = self.cache.forget_older(
                    time.time() - unused_for, spared, self.layers.size, keep
                )
            return PruneRecord(removed=gone, freed=self._sweep())

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
        try:
            with locked(self._root / "building.lock", shared=True):
                yield
        finally:
            if self._sweep_wanted.exists():
                self._sweep()

    @contextmanager
    def taking_in(self) -> Iterator[None]:
        """Do as :meth:`building`; at a failure remove the layers that came to nothing."""
        try:
            with self.building():
                yield
        except BaseException:
            self._sweep()
            raise

    def keep_layer(self, draft: Draft, diff_id: str, size: int) -> None:
        """Take a draft's layer into the store, inside :meth:`building`."""
        with kernel_errors("store a layer in", self._root), self._locked():
            self.layers.keep(draft, diff_id, size)

    @contextmanager
    def _deciding(self, in_use: InUse) -> Iterator[Collection[str]]:
        """Hold the locks and give the images in use, which cannot change meanwhile."""
        with self._locked(), self._pins:
            yield {*in_use(), *(one for one, count in self._pinned.items() if count)}

    def _resolve_or_empty(self, reference: str) -> str:
        try:
            return self._read().resolve(reference)
        except (NotFoundError, InvalidInputError):
            return ""

    def _is_meant(self, image_id: str, spec: PruneSpec) -> bool:
        if not spec.labels and not spec.without_labels:
            return True
        document = decode_document(self._blob(image_id).read_bytes())
        return prune.labels_match(spec, view(document).labels)

    def _forget(self, index: Index, gone: Collection[str], *, keep_steps: bool = False) -> int:
        """Take images out of the index, and return the bytes of their documents."""
        left = index.without_images(gone)
        self._write(left)
        if not keep_steps:
            self.cache.forget_layers(index.layers() - left.layers())
        return sum(remove_file(self._blob(image_id)) for image_id in gone)

    def document_bytes(self, image_id: str) -> bytes:
        """Return an image's configuration as it is stored. Raises ``NotFoundError``."""
        with kernel_errors("read an image of", self._root):
            try:
                return self._blob(image_id).read_bytes()
            except FileNotFoundError as exc:
                raise NotFoundError(f"There is no image {image_id} on this host.") from exc

    def _sweep(self) -> int:
        """Remove the layers that nothing needs, and return the bytes freed.

        While somebody is at work nothing goes; whoever ends last does it then.
        """
        with self._locked(), locked_if_free(self._root / "building.lock") as free:
            if not free:
                self._sweep_wanted.touch()
                return 0
            self._sweep_wanted.unlink(missing_ok=True)
            index = self._read()
            graves = self.layers.bury(index.layers() | self.cache.layers())
            freed = self.originals.sweep(index.images)
        return freed + self.layers.delete(graves)

    def _load(self, index: Index, image_id: str) -> StoredImage:
        entry = index.images[image_id]
        document = decode_document(self._blob(image_id).read_bytes())
        return StoredImage(
            id=image_id,
            references=index.names(image_id),
            config=view(document),
            layers=tuple(self.layers.path(one) for one in entry.layers),
            diff_ids=entry.layers,
            layer_sizes=tuple(self.layers.size(one) for one in entry.layers),
            size=entry.size,
            created_at=entry.created_at,
            document=document,
            digests=index.repository_digests(image_id),
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


def _refuse_used(image_id: str, in_use: Collection[str]) -> None:
    if image_id in in_use:
        raise ConflictError(
            f"A container uses the image {image_id[7:19]}.", hint="Remove the container first."
        )
