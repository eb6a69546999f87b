"""Pushes an image: its layers first, several at once, then the documents that name them.

An image that was pulled goes as it came, so that its digest stays the same. Otherwise
layers are made anew, always to the same bytes.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from agents.engines.abilities.registries import LayerListener
from agents.engines.native.images.config import digest_of
from agents.engines.native.images.media import (
    OCI_CONFIG,
    OCI_MANIFEST,
    Descriptor,
    Document,
    ImageManifest,
)
from agents.engines.native.images.references import Reference, parse_reference
from agents.engines.native.images.store import ImageStore
from agents.engines.native.images.stored import StoredImage
from agents.engines.native.registry.packing import pack_layer
from agents.engines.native.registry.progress import LayerReports
from agents.engines.native.registry.session import Session
from agents.engines.native.registry.stopping import Stop
from agents.engines.native.registry.transport import BrokenError
from agents.errors import AccessDeniedError
from agents.linux.failures import kernel_errors

TRIES = 5
FIRST_PAUSE = 0.3
_PIECE = 1 << 18

Result = TypeVar("Result")


class Push:
    """One push from ``images``."""

    def __init__(self, images: ImageStore, session: Session, listener: LayerListener) -> None:
        self._images = images
        self._session = session
        self._reports = LayerReports(listener)
        # Where the registry may have the layers already.
        self._elsewhere = ""

    def run(self, image: StoredImage) -> str:
        """Send it and return the digest of its manifest. Blocks."""
        self._elsewhere = _other_repository(image, self._session.name)
        self._client = self._session.pushing(self._elsewhere)
        # What is sent must not go meanwhile.
        with kernel_errors("push an image"), self._images.building():
            manifest = self._as_it_came(image) or self._made_anew(image)
            self._session.stop.check()
            digest = self._send_documents(image, manifest)
            self._images.originals.keep((manifest,), {})
            self._images.note_digests(image.id, [f"{self._session.name.name}@{digest}"])
        return digest

    def _as_it_came(self, image: StoredImage) -> bytes | None:
        """Send the layers of a manifest that the image came with, if all of them can be had."""
        for manifest in self._images.originals.manifests_of(image.id):
            layers = msgspec.json.decode(manifest, type=Document).layers
            if all(self._can_be_had(layer) for layer in layers):
                unique = {layer.digest: layer for layer in layers}
                self._session.each(unique.values(), self._send_original)
                return manifest
        return None

    def _can_be_had(self, layer: Descriptor) -> bool:
        if self._images.originals.blob(layer.digest) is not None:
            return True
        return self._trying(lambda: self._client.has_blob(layer.digest))

    def _send_original(self, layer: Descriptor) -> None:
        if self._is_there(layer):
            return
        path = self._images.originals.blob(layer.digest)
        if path is not None:
            self._upload(layer, path)

    def _made_anew(self, image: StoredImage) -> bytes:
        made: dict[str, Descriptor] = {}

        def send(diff_id: str) -> None:
            made[diff_id] = self._send_packed(diff_id)

        self._session.each(dict.fromkeys(image.diff_ids), send)
        document = self._images.document_bytes(image.id)
        config = Descriptor(media_type=OCI_CONFIG, digest=image.id, size=len(document))
        layers = tuple(made[diff_id] for diff_id in image.diff_ids)
        return msgspec.json.encode(ImageManifest(config=config, layers=layers))

    def _send_packed(self, diff_id: str) -> Descriptor:
        with self._images.layers.draft() as draft:
            path = draft.path / "layer.tar.gz"
            layer = pack_layer(self._images.layers, diff_id, path, self._session.stop)
            if not self._is_there(layer):
                self._upload(layer, path)
        return layer

    def _is_there(self, layer: Descriptor) -> bool:
        """Return whether the repository has a layer, or could take it from another."""
        self._reports.say(layer.digest, "checking", 0, layer.size)
        if self._trying(lambda: self._client.has_blob(layer.digest)):
            self._reports.say(layer.digest, "exists", layer.size, layer.size)
            return True
        if self._elsewhere and self._mount(layer):
            self._reports.say(layer.digest, "mounted", layer.size, layer.size)
            return True
        return False

    def _mount(self, layer: Descriptor) -> bool:
        source = self._elsewhere
        try:
            return self._trying(lambda: self._client.mount(layer.digest, source))
        except AccessDeniedError:
            # It may be somebody else's; then the layer is sent.
            return False

    def _upload(self, layer: Descriptor, path: Path) -> None:
        def send() -> None:
            with self._opened(layer, path) as body:
                location = self._client.start_upload()
                self._client.finish_upload(location, layer.digest, body, layer.size)

        self._trying(send)
        self._reports.say(layer.digest, "done", layer.size, layer.size)

    @contextmanager
    def _opened(self, layer: Descriptor, path: Path) -> Iterator["_Watched"]:
        with path.open("rb") as file:
            yield _Watched(file, self._session.stop, lambda done: self._moved(layer, done))

    def _moved(self, layer: Descriptor, done: int) -> None:
        self._reports.say(layer.digest, "uploading", done, layer.size)

    def _send_documents(self, image: StoredImage, manifest: bytes) -> str:
        """Send the configuration and the manifest; return the manifest's digest."""
        config = msgspec.json.decode(manifest, type=ImageManifest).config
        if not self._trying(lambda: self._client.has_blob(config.digest)):
            self._trying(lambda: self._send_config(config, self._images.document_bytes(image.id)))
        media_type = msgspec.json.decode(manifest, type=Document).media_type or OCI_MANIFEST
        tag = self._session.name.tag
        self._trying(lambda: self._client.put_manifest(tag, manifest, media_type))
        return digest_of(manifest)

    def _send_config(self, config: Descriptor, data: bytes) -> None:
        location = self._client.start_upload()
        self._client.finish_upload(location, config.digest, io.BytesIO(data), len(data))

    def _trying(self, act: Callable[[], Result]) -> Result:
        """Do it, again and again for a while if the connection breaks."""
        for tried in range(TRIES):
            self._session.stop.check()
            try:
                return act()
            except BrokenError:
                self._session.stop.check()
                if tried + 1 == TRIES:
                    raise
                self._session.stop.wait(FIRST_PAUSE * 2**tried)
        raise AssertionError("unreachable")


class _Watched(io.RawIOBase):
    """A file that is sent: it tells how far that is, and ends when the work does."""

    def __init__(self, file: IO[bytes], stop: Stop, moved: Callable[[int], None]) -> None:
        super().__init__()
        self._file = file
        self._stop = stop
        self._moved = moved

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, of those that HTTP asks for more than it says."""
        self._stop.check()
        data = self._file.read(max(size, _PIECE))
        self._moved(self._file.tell())
        return data


def _other_repository(image: StoredImage, name: Reference) -> str:
    """Return another repository of the same registry that had this image, or ""."""
    known = (parse_reference(one) for one in (*image.digests, *image.references))
    paths = (one.path for one in known if one.domain == name.domain and one.path != name.path)
    return next(paths, "")
