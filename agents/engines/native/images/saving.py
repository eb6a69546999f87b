"""Writes images into one archive that both ``docker load`` and OCI tools read.

It is an OCI layout (image-layout.md) with Docker's ``manifest.json`` beside it, as newer
Dockers write. The same images give the same bytes.
"""

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from agents.engines.abilities.images import ArchiveForm
from agents.engines.native.images.archive import FULL_NAME, REF_NAME, SavedImage, blob_name
from agents.engines.native.images.config import digest_of
from agents.engines.native.images.layers import LayerStore
from agents.engines.native.images.media import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    ImageManifest,
    Platform,
)
from agents.engines.native.images.references import parse_reference
from agents.engines.native.images.stored import StoredImage
from agents.engines.native.images.tarheader import BLOCK

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


@dataclass(frozen=True, kw_only=True)
class Saved:
    """An image to save under these names; ``config`` is its document as it is kept."""

    image: StoredImage
    names: tuple[str, ...]
    config: bytes


class Saver:
    """Writes one archive to ``out``. Raises OSError, ``InvalidInputError`` (a damaged layer)."""

    def __init__(self, layers: LayerStore, out: BinaryIO) -> None:
        self._layers = layers
        self._out = out
        self._sizes: dict[str, int] = {}

    def write(self, saved: Sequence[Saved], form: ArchiveForm) -> None:
        """Write everything; blocks while it reads all layers."""
        self._put("oci-layout", _LAYOUT)
        manifests = [self._write_image(one) for one in saved]
        index = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [entry for one in manifests for entry in one],
        }
        self._put("index.json", msgspec.json.encode(index))
        if form == "docker":
            self._put("manifest.json", msgspec.json.encode([_docker_entry(one) for one in saved]))
        self._out.write(bytes(2 * BLOCK))

    def _write_image(self, saved: Saved) -> list[Descriptor]:
        """Write the blobs of an image; return its entries in the index, one for each name."""
        for diff_id in saved.image.diff_ids:
            self._write_layer(diff_id)
        self._put_blob(saved.config)
        manifest = ImageManifest(
            config=_descriptor(OCI_CONFIG, saved.config),
            layers=tuple(
                Descriptor(media_type=_LAYER, digest=one, size=self._sizes[one])
                for one in saved.image.diff_ids
            ),
        )
        data = msgspec.json.encode(manifest)
        self._put_blob(data)
        document = saved.image.document
        entry = msgspec.structs.replace(
            _descriptor(OCI_MANIFEST, data),
            platform=Platform(architecture=document.architecture, os=document.os),
        )
        return [
            msgspec.structs.replace(entry, annotations=_annotations(name))
            for name in saved.names or ("",)
        ]

    def _write_layer(self, diff_id: str) -> None:
        if diff_id in self._sizes:
            return
        size = self._measure(diff_id)
        self._out.write(_header(blob_name(diff_id), size))
        self._layers.write_tar(diff_id, self._out.write)
        self._out.write(bytes(-size % BLOCK))
        self._sizes[diff_id] = size

    def _measure(self, diff_id: str) -> int:
        """Return the bytes of a layer's tar, and see that it is whole before it is begun."""
        size = 0

        def count(data: bytes) -> None:
            nonlocal size
            size += len(data)

        self._layers.write_tar(diff_id, count)
        return size

    def _put_blob(self, data: bytes) -> None:
        digest = digest_of(data)
        if digest not in self._sizes:
            self._put(blob_name(digest), data)
            self._sizes[digest] = len(data)

    def _put(self, name: str, data: bytes) -> None:
        self._out.write(_header(name, len(data)) + data + bytes(-len(data) % BLOCK))


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.PAX_FORMAT)


def _descriptor(kind: str, data: bytes) -> Descriptor:
    return Descriptor(media_type=kind, digest=digest_of(data), size=len(data))


def _annotations(name: str) -> dict[str, str]:
    if not name:
        return {}
    reference = parse_reference(name)
    return {FULL_NAME: str(reference), REF_NAME: reference.tag or reference.digest}


def _docker_entry(saved: Saved) -> SavedImage:
    return SavedImage(
        config=blob_name(digest_of(saved.config)),
        repo_tags=saved.names or None,
        layers=tuple(blob_name(one) for one in saved.image.diff_ids),
    )
