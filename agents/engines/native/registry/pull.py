"""Pulls an image: its documents first, then its layers, several at once.

A layer is unpacked while it is downloaded, and taken into the store only when its bytes
have matched their digest and its content its ``diff_id``.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import msgspec

from agents.engines.abilities.registries import LayerListener
from agents.engines.native.images.config import decode_document, digest_of
from agents.engines.native.images.documents import read_document
from agents.engines.native.images.layers import Draft, hex_of
from agents.engines.native.images.media import (
    CONFIGS,
    INDEXES,
    LARGEST_DOCUMENT,
    Descriptor,
    Document,
    Platform,
)
from agents.engines.native.images.references import Reference
from agents.engines.native.images.store import ImageStore, StoredImage
from agents.engines.native.images.streams import archive_errors
from agents.engines.native.images.unpacking import unpack_layer
from agents.engines.native.registry.client import Client, Fetched
from agents.engines.native.registry.download import (
    Download,
    Growing,
    GrowingReader,
    MismatchError,
)
from agents.engines.native.registry.platforms import choose
from agents.engines.native.registry.progress import LayerReports
from agents.engines.native.registry.session import Session
from agents.engines.native.registry.transport import read_body
from agents.errors import (
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    OutOfSpaceError,
    RegistryError,
)
from agents.linux.failures import kernel_errors

_OLD_MANIFEST = "application/vnd.docker.distribution.manifest.v1"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a registry says that an image is. ``documents`` are to be kept as they came."""

    documents: tuple[bytes, ...]
    digests: tuple[str, ...]
    config: bytes
    layers: tuple[Descriptor, ...]


class Pull:
    """One pull into ``images``."""

    def __init__(self, images: ImageStore, session: Session, listener: LayerListener) -> None:
        self._images = images
        self._session = session
        self._reports = LayerReports(listener)
        self._sources: list[Client] = []

    def run(self, platform: Platform) -> StoredImage:
        """Fetch the image and give it its name. Blocks.

        Raises ``NotFoundError``, ``NotSupportedError``, ``InvalidInputError``,
        ``CancelledError``, ``RegistryError``.
        """
        name = self._session.name
        found = self._find(name, platform)
        diff_ids = decode_document(found.config).rootfs.diff_ids or ()
        if len(diff_ids) != len(found.layers):
            raise InvalidInputError("The image's configuration and its layers do not match.")
        with kernel_errors("pull an image"), self._images.taking_in():
            self._fetch_layers(found.layers, diff_ids)
            self._session.stop.check()
            self._keep_originals(found)
            called = [f"{name.name}@{digest}" for digest in found.digests]
            return self._images.commit(found.config, diff_ids, (str(name),), called)

    def _keep_originals(self, found: Found) -> None:
        originals, blobs = self._images.originals, {one.digest: one.size for one in found.layers}
        if self._session.places.settings.keep_compressed:
            originals.keep(found.documents, blobs)
            return
        originals.keep(found.documents, {})
        for digest in blobs:
            originals.download(digest).unlink(missing_ok=True)

    def _find(self, name: Reference, platform: Platform) -> Found:
        """Ask one source after the other; the one that answers is asked first from now on."""
        self._sources = self._session.pulling()
        while True:
            try:
                return self._find_at(self._sources[0], name, platform)
            except (RegistryError, NotFoundError):
                self._session.stop.check()
                if len(self._sources) == 1:
                    raise
                del self._sources[0]

    def _find_at(self, source: Client, name: Reference, platform: Platform) -> Found:
        top = source.manifest(name.digest or name.tag)
        document = _decode(top)
        if document.manifests is None:
            return self._found(source, (top,), document)
        chosen = choose(document.manifests, platform, name.familiar())
        hex_of(chosen.digest)
        inner = source.manifest(chosen.digest)
        return self._found(source, (top, inner), _decode(inner))

    def _found(self, source: Client, fetched: tuple[Fetched, ...], document: Document) -> Found:
        if document.config is None or document.config.media_type not in CONFIGS:
            raise NotSupportedError("This is no image of containers, but something else.")
        return Found(
            documents=tuple(one.data for one in fetched),
            digests=tuple(one.digest for one in fetched),
            config=self._config(source, document.config),
            layers=document.layers,
        )

    def _config(self, source: Client, config: Descriptor) -> bytes:
        if config.size > LARGEST_DOCUMENT:
            raise InvalidInputError("The image's configuration is too large.")
        hex_of(config.digest)
        response = source.blob(config.digest)
        try:
            data = read_body(response, LARGEST_DOCUMENT + 1, source.address)
        finally:
            response.close()
        if digest_of(data) != config.digest:
            raise MismatchError(config.digest, source.address, resumed=False)
        return data

    def _fetch_layers(self, layers: Sequence[Descriptor], diff_ids: Sequence[str]) -> None:
        wanted = dict(zip(diff_ids, layers, strict=True))
        for layer in wanted.values():
            self._reports.say(layer.digest, "waiting", 0, layer.size)
        self._session.each(wanted.items(), lambda one: self._fetch_layer(*one))

    def _fetch_layer(self, diff_id: str, layer: Descriptor) -> None:
        """Bring one layer into the store; what was there of it and is damaged is fetched anew."""
        try:
            with kernel_errors("store a layer"):
                self._try_layer(diff_id, layer)
        except MismatchError as error:
            if not error.resumed:
                raise
            self._try_layer(diff_id, layer)
        except OutOfSpaceError:
            # What is kept for another try would keep that from succeeding.
            self._images.originals.download(layer.digest).unlink(missing_ok=True)
            raise

    def _try_layer(self, diff_id: str, layer: Descriptor) -> None:
        def moved(have: int) -> None:
            self._reports.say(layer.digest, "downloading", have, layer.size)

        path = self._images.originals.download(layer.digest)
        stop = self._session.stop
        download = Download(layer, path, self._sources, stop, moved)
        with download.turn():
            if self._images.layers.has(diff_id):
                self._reports.say(layer.digest, "exists", layer.size, layer.size)
                _remove_if_empty(download)
                return
            with self._images.layers.draft() as draft:
                size = self._download_and_unpack(download, layer, diff_id, draft)
                stop.check()
                self._images.keep_layer(draft, diff_id, size)
        self._reports.say(layer.digest, "done", layer.size, layer.size)

    def _download_and_unpack(
        self, download: Download, layer: Descriptor, diff_id: str, draft: Draft
    ) -> int:
        """Return the bytes of the layer's files, which are in the draft then."""
        growing = Growing(download.path)

        def moved(place: int) -> None:
            if growing.is_whole:
                self._reports.say(layer.digest, "extracting", place, layer.size)

        reader = GrowingReader(download.path, growing, moved)
        with _unpacking(reader, draft) as result, growing.failing_with_writer():
            download.run(growing)
        if result.diff_id != diff_id:
            raise InvalidInputError(f"The layer {diff_id} unpacks to {result.diff_id}.")
        return result.size


@dataclass
class _Unpacked:
    diff_id: str = ""
    size: int = 0
    error: Exception | None = None


@contextmanager
def _unpacking(source: GrowingReader, draft: Draft) -> Iterator[_Unpacked]:
    """Unpack in a thread of its own meanwhile; the result is there at the end.

    An error of the block counts for more than one of unpacking: it is the cause.
    """
    result = _Unpacked()

    def work() -> None:
        try:
            with archive_errors("The layer"):
                found = unpack_layer(source, draft)
            result.diff_id, result.size = found.diff_id, found.size
        except Exception as exc:  # noqa: BLE001  (the thread's edge: it is raised at the end)
            result.error = exc

    thread = threading.Thread(target=work, name="registry-unpack", daemon=True)
    thread.start()
    try:
        yield result
    finally:
        thread.join()
        source.close()
    if result.error is not None:
        raise result.error


def _decode(fetched: Fetched) -> Document:
    if fetched.media_type.startswith(_OLD_MANIFEST):
        raise NotSupportedError(
            "The image is in a form of before 2016 (schema 1), which is not supported.",
            hint="Have it pushed again by a newer program.",
        )
    try:
        document = read_document(fetched.data, Document)
    except msgspec.DecodeError as exc:
        raise InvalidInputError(f"The image's manifest cannot be read: {exc}.") from exc
    if document.schema_version != 2 or (document.manifests is None) is (
        (document.media_type or fetched.media_type) in INDEXES
    ):
        raise InvalidInputError("The image's manifest contradicts itself.")
    return document


def _remove_if_empty(download: Download) -> None:
    """Remove the file that was made only to hold its lock."""
    with suppress(FileNotFoundError):
        # Whoever pulled the layer may just have taken the file away.
        if download.path.stat().st_size == 0:
            download.path.unlink()
