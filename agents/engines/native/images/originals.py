"""What registries gave: manifests and compressed layers, byte for byte.

An unpacked layer cannot be compressed again to the same bytes, whose digest is its name
at a registry. So the bytes are kept as they came, for as long as an image needs them: a
pulled image can be pushed elsewhere under the same digest.

``downloads`` holds blobs that are not whole yet, or whose image is not; they survive a
crash, so that the next pull goes on where the last one ended.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from agents.engines.native.images.config import digest_of
from agents.engines.native.images.durable import write_file
from agents.engines.native.images.layers import PREFIX, hex_of
from agents.engines.native.images.media import Document
from agents.engines.native.images.removal import remove_file

DOWNLOADS_KEPT = 7 * 86400.0


class Originals:
    """Manifests and blobs by digest, below ``root``. Raises OSError."""

    def __init__(self, root: Path) -> None:
        self._manifests = root / "originals" / "manifests"
        self._blobs = root / "originals" / "blobs"
        self._downloads = root / "downloads"
        for folder in (self._manifests, self._blobs, self._downloads):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def manifest(self, digest: str) -> bytes | None:
        """Return a manifest's or an index's bytes; None if it is not there or damaged."""
        try:
            data = (self._manifests / hex_of(digest)).read_bytes()
        except FileNotFoundError:
            return None
        return data if digest_of(data) == digest else None

    def manifests_of(self, image_id: str) -> Iterator[bytes]:
        """Return the manifests whose configuration is this image's."""
        for data in self._all_manifests().values():
            config = _decode(data).config
            if config is not None and config.digest == image_id:
                yield data

    def blob(self, digest: str) -> Path | None:
        """Return a compressed layer, as it came; None if it is not there."""
        path = self._blobs / hex_of(digest)
        return path if path.is_file() else None

    def download(self, digest: str) -> Path:
        """Return where a blob is downloaded to, whether anything is there or not."""
        return self._downloads / hex_of(digest)

    def keep(self, manifests: Iterable[bytes], blobs: Mapping[str, int]) -> None:
        """Keep an image's documents, and those of its blobs (with sizes) that were downloaded.

        To be called inside :meth:`ImageStore.building`, before the image is committed.
        """
        for data in manifests:
            write_file(self._manifests / hex_of(digest_of(data)), data)
        for digest, size in blobs.items():
            download = self.download(digest)
            with suppress(FileNotFoundError):
                # An empty one is the lock of another pull, which finds the layer there.
                if download.stat().st_size == size:
                    download.rename(self._blobs / hex_of(digest))

    def drop(self, digest: str) -> None:
        """Forget a blob. Idempotent."""
        (self._blobs / hex_of(digest)).unlink(missing_ok=True)

    def sweep(self, images: Collection[str]) -> int:
        """Remove what belongs to none of ``images`` (ids), and downloads of long ago.

        Return the bytes freed. To be called while nobody pulls.
        """
        kept = {digest: _decode(data) for digest, data in self._all_manifests().items()}
        needed = {
            digest: one
            for digest, one in kept.items()
            if one.config and one.config.digest in images
        }
        indexes = {digest for digest, one in kept.items() if _lists(one, needed)}
        freed = _remove_others(self._manifests, {*needed, *indexes})
        blobs = {layer.digest for one in needed.values() for layer in one.layers}
        freed += _remove_others(self._blobs, blobs)
        return freed + self.sweep_downloads(DOWNLOADS_KEPT)

    def sweep_downloads(self, unused_for: float) -> int:
        """Remove downloads that nobody added to for so many seconds; return the bytes freed.

        To be called while nobody pulls.
        """
        moment = time.time() - unused_for
        old = [path for path in self._downloads.iterdir() if path.stat().st_mtime <= moment]
        return sum(remove_file(path) for path in old)

    def _all_manifests(self) -> dict[str, bytes]:
        found = {}
        for path in self._manifests.iterdir():
            with suppress(FileNotFoundError):
                data = path.read_bytes()
                # Anything else is the draft of a file, or damaged.
                if digest_of(data) == PREFIX + path.name:
                    found[PREFIX + path.name] = data
        return found


def _lists(document: Document, manifests: Collection[str]) -> bool:
    return any(one.digest in manifests for one in document.manifests or ())


def _decode(data: bytes) -> Document:
    return msgspec.json.decode(data, type=Document)


def _remove_others(folder: Path, digests: Collection[str]) -> int:
    others = [path for path in folder.iterdir() if PREFIX + path.name not in digests]
    return sum(remove_file(path) for path in others)
