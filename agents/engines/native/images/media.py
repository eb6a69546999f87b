"""The documents that say what an image is made of, and their media types.

See the OCI image specification, manifest.md, image-index.md and media-types.md, and the
distribution project's manifest-v2-2.md.
"""

import msgspec

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"

INDEXES = (OCI_INDEX, DOCKER_INDEX)
MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
# Some tools leave the type out.
CONFIGS = (OCI_CONFIG, DOCKER_CONFIG, "", "application/octet-stream")
LARGEST_DOCUMENT = 4 << 20


class Platform(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For which machine a manifest is."""

    architecture: str = ""
    os: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Points at a blob; ``size`` is its bytes."""

    media_type: str = ""
    digest: str
    size: int = 0
    platform: Platform | None = None
    annotations: dict[str, str] = {}


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is in a manifest or an index; ``manifests`` tells the two apart."""

    media_type: str = ""
    schema_version: int = 2
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] | None = None
    artifact_type: str = ""


class ImageManifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image, as it is written for a registry."""

    schema_version: int = 2
    media_type: str = OCI_MANIFEST
    config: Descriptor
    layers: tuple[Descriptor, ...]
