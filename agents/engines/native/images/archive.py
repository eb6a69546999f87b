"""Reads archives that hold images: what ``docker save`` writes, an OCI layout, a root file system.

Every blob is checked against its digest as it is read; nothing in an archive is trusted.
See the OCI image specification, image-layout.md.
"""

import posixpath
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from agents.engines.native.images.config import digest_of
from agents.engines.native.images.documents import read_document
from agents.engines.native.images.tarstream import TarStream
from agents.errors import InvalidInputError

REF_NAME = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"
_INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_LARGEST_DOCUMENT = 4 << 20
_MOST_LINKS = 8

Decoded = TypeVar("Decoded")


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """For which machine a manifest is."""

    architecture: str = ""
    os: str = ""


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Points at a blob."""

    media_type: str = ""
    digest: str
    size: int = 0
    platform: Platform | None = None
    annotations: dict[str, str] = {}


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """``index.json`` of a layout, or an image index."""

    manifests: tuple[Descriptor, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a layout."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


class SavedImage(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One image of ``manifest.json`` in what ``docker save`` writes."""

    config: str
    repo_tags: tuple[str, ...] | None = None
    layers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LayerSource:
    """Where a layer's bytes are in the archive; ``digest`` is "" where none is promised."""

    name: str
    digest: str = ""
    media_type: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """An image in an archive: its configuration, layers lowest first, and names."""

    config: bytes
    layers: tuple[LayerSource, ...]
    references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a member's content is in the file; ``target`` is that of a symbolic link."""

    offset: int
    size: int
    target: str = ""


class _Part:
    """A piece of an open file."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file = file
        self._left = size
        file.seek(offset)

    def __enter__(self) -> "_Part":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


class ImageArchive:
    """An uncompressed tar at ``path``, with random access by name; one member at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._members: dict[str, _Place] = {}

    def __enter__(self) -> "ImageArchive":
        try:
            self._find_members()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _find_members(self) -> None:
        stream = TarStream(self._file, jumps=self._file, needs_end=True)
        try:
            for entry in stream:
                if entry.kind in ("file", "symlink"):
                    place = _Place(offset=stream.position, size=entry.size, target=entry.target)
                    self._members.setdefault(posixpath.normpath(entry.name), place)
        except InvalidInputError as exc:
            raise InvalidInputError(
                f"This is no tar archive, or a damaged one: {exc.message}", file=str(self._path)
            ) from exc

    def images(self, architecture: str) -> tuple[ImageSource, ...]:
        """Return the images; none means that the archive is a root file system."""
        if "manifest.json" in self._members:
            return self._saved()
        if "index.json" in self._members and "oci-layout" in self._members:
            return self._layout(architecture)
        return ()

    def open(self, name: str) -> _Part:
        """Return the content of one member, through symbolic links inside the archive."""
        for _ in range(_MOST_LINKS):
            name = posixpath.normpath(name)
            place = self._members.get(name)
            if place is None:
                break
            if not place.target:
                return _Part(self._file, place.offset, place.size)
            name = posixpath.join(posixpath.dirname(name), place.target)
        raise self._invalid(f"has no file {name!r}")

    def _saved(self) -> tuple[ImageSource, ...]:
        images = self._decode(self._read("manifest.json"), tuple[SavedImage, ...])
        return tuple(
            ImageSource(
                config=self._saved_config(image.config),
                layers=tuple(LayerSource(name=name) for name in image.layers),
                references=image.repo_tags or (),
            )
            for image in images
        )

    def _saved_config(self, name: str) -> bytes:
        data = self._read(name)
        promised = posixpath.basename(name).removesuffix(".json")
        if len(promised) == 64 and digest_of(data) != f"sha256:{promised}":
            raise self._invalid(f"holds {name!r} with another content than its name says")
        return data

    def _layout(self, architecture: str) -> tuple[ImageSource, ...]:
        index = self._decode(self._read("index.json"), Index)
        return tuple(self._manifest(one, architecture) for one in index.manifests)

    def _manifest(self, descriptor: Descriptor, architecture: str) -> ImageSource:
        if descriptor.media_type in _INDEX_TYPES:
            return self._choose(descriptor, architecture)
        manifest = self._decode(self._blob(descriptor), Manifest)
        return ImageSource(
            config=self._blob(manifest.config),
            layers=tuple(_layer_source(layer) for layer in manifest.layers),
            references=_references(descriptor),
        )

    def _choose(self, descriptor: Descriptor, architecture: str) -> ImageSource:
        index = self._decode(self._blob(descriptor), Index)
        for one in index.manifests:
            if one.platform and one.platform.architecture == architecture:
                image = self._manifest(one, architecture)
                return replace(image, references=_references(descriptor))
        raise self._invalid(f"has no image for this machine's architecture {architecture}")

    def _blob(self, descriptor: Descriptor) -> bytes:
        data = self._read(blob_name(descriptor.digest))
        if digest_of(data) != descriptor.digest:
            raise self._invalid(f"holds a blob that is not {descriptor.digest}")
        return data

    def _read(self, name: str) -> bytes:
        with self.open(name) as file:
            data = file.read(_LARGEST_DOCUMENT + 1)
        if len(data) > _LARGEST_DOCUMENT:
            raise self._invalid(f"holds {name!r} that is too large for a document")
        return data

    def _decode(self, data: bytes, kind: type[Decoded]) -> Decoded:
        try:
            return read_document(data, kind)
        except msgspec.DecodeError as exc:
            raise self._invalid(f"holds a document that cannot be read: {exc}") from exc

    def _invalid(self, why: str) -> InvalidInputError:
        return InvalidInputError(f"The archive {why}.", file=str(self._path))


def blob_name(digest: str) -> str:
    """Return where a layout keeps a blob."""
    algorithm, _, digits = digest.partition(":")
    return f"blobs/{algorithm}/{digits}"


def _layer_source(descriptor: Descriptor) -> LayerSource:
    return LayerSource(
        name=blob_name(descriptor.digest),
        digest=descriptor.digest,
        media_type=descriptor.media_type,
    )


def _references(descriptor: Descriptor) -> tuple[str, ...]:
    """Return the names a layout gives an image; a bare tag is none."""
    full = descriptor.annotations.get(FULL_NAME, "")
    name = full or descriptor.annotations.get(REF_NAME, "")
    return (name,) if full or ":" in name or "/" in name else ()
