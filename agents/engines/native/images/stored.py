"""An image that is in the store."""

import platform
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.images.config import ImageConfig, ImageDocument
from agents.protocol.records import ImageRecord

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """An image that is there. ``layers`` are folders for overlayfs, lowest first.

    ``layer_sizes`` are the bytes of the files in each layer, ``digests`` what registries
    call the image: ``repository@sha256:…``.
    """

    id: str
    references: tuple[str, ...]
    config: ImageConfig
    layers: tuple[Path, ...]
    diff_ids: tuple[str, ...]
    layer_sizes: tuple[int, ...]
    size: int
    created_at: float
    document: ImageDocument
    digests: tuple[str, ...] = ()

    def record(self) -> ImageRecord:
        """Return the image as others see it."""
        return ImageRecord(
            id=self.id,
            references=self.references,
            size=self.size,
            created_at=self.created_at,
            digests=self.digests,
        )


def host_architecture() -> str:
    """Return this machine's architecture in the words of image platforms."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)
