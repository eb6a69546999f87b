"""What the engine has on record of a container, and so says that the kernel must hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.engines.native.containers.records import Manifest, Status
from agents.engines.native.limits.place import Place, Settings
from agents.engines.native.network.records import AttachmentFile, NetworkFile
from agents.engines.specs import ContainerSpec


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The records of one container. ``layers`` are digests, lowest first."""

    manifest: Manifest
    status: Status
    layers: tuple[str, ...]
    place: Place
    settings: Settings
    attachment: AttachmentFile | None
    networks: Mapping[str, NetworkFile]

    @property
    def spec(self) -> ContainerSpec:
        """Return its spec."""
        return self.manifest.spec
