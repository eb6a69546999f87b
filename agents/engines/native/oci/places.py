"""What was looked up on the host for one container, so that the rest can be pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.native.oci.types import Device, DeviceRule, NamespaceKind


@dataclass(frozen=True, kw_only=True)
class HostDevice:
    """A device of the host as the container gets it."""

    node: Device
    rule: DeviceRule


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where on the host the parts of a container are.

    ``joined`` gives the file of each namespace that is another's, ``shared`` the kinds that
    are the host's; all others are made. ``id_base`` is where the container's ids begin on the
    host, 0 if they are the host's own. ``files`` are bound over single files: target in the
    container to path on the host. ``volumes`` gives the path for the target of each volume
    mount and of a bind that must not be looked up again, ``shm`` /dev/shm of whoever shares
    its IPC. What is bound from a path of ``mapped`` keeps its ids inside; ``attached`` tells
    where on the host such a path is mounted so already. ``devices`` are nodes to make, with
    the rules that open them. ``init`` is a static init program.
    """

    rootfs: Path
    cgroup: str
    joined: Mapping[NamespaceKind, Path] = field(default_factory=dict)
    shared: Collection[NamespaceKind] = ()
    id_base: int = 0
    files: Mapping[str, Path] = field(default_factory=dict)
    volumes: Mapping[str, Path] = field(default_factory=dict)
    shm: Path | None = None
    mapped: Collection[Path] = ()
    attached: Mapping[Path, Path] = field(default_factory=dict)
    devices: tuple[HostDevice, ...] = ()
    init: Path | None = None

    def is_mapped(self, path: Path) -> bool:
        """Return whether a path's ids are to be mapped where it is mounted."""
        return bool(self.id_base) and path in self.mapped and path not in self.attached
