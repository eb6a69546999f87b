"""What is mounted in a container: the system's own, volumes, binds, and files in /etc."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.oci import defaults
from agents.engines.native.oci.types import Mount
from agents.engines.specs import ContainerSpec, MountSpec
from agents.linux import kernel

INIT_TARGET = "/dev/init"
_BIND = ("rbind", "rprivate")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where on the host the parts of a container are.

    ``network`` is the namespace's file, None the host's network. ``files`` are bound over
    single files: target in the container to path on the host. ``volumes`` gives the path
    for the target of each volume mount, and of a bind that must not be looked up again.
    ``init`` is a static init program.
    """

    rootfs: Path
    cgroup: str
    network: Path | None
    files: Mapping[str, Path]
    volumes: Mapping[str, Path]
    init: Path | None = None


def make_mounts(spec: ContainerSpec, places: Places) -> tuple[Mount, ...]:
    """Return all mounts of one container in the order that they are made."""
    own_network = places.network is not None
    system = defaults.system_mounts(own_network=own_network, privileged=spec.privileged)
    init = () if places.init is None else (_bind(places.init, INIT_TARGET, read_only=True),)
    files = tuple(_bind(path, target) for target, path in places.files.items())
    # Parents before children, or a child would be hidden.
    asked = sorted(spec.mounts, key=lambda mount: mount.target.count("/"))
    return (
        *_without(defaults.MOUNTS, asked),
        *system,
        *(_mount(one, places) for one in asked),
        *_without(files, asked),
        *init,
    )


def _without(mounts: tuple[Mount, ...], asked: list[MountSpec]) -> tuple[Mount, ...]:
    """Leave out what the spec mounts itself at the same place."""
    taken = {mount.target.rstrip("/") for mount in asked}
    return tuple(mount for mount in mounts if mount.destination not in taken)


def _mount(spec: MountSpec, places: Places) -> Mount:
    if spec.kind == "tmpfs":
        return _tmpfs(spec)
    source = places.volumes.get(spec.target, Path(spec.source))
    return _bind(source, spec.target, read_only=spec.read_only)


def _bind(source: Path, target: str, *, read_only: bool = False) -> Mount:
    mode = ("ro", *_below(source)) if read_only else ("rw",)
    return Mount(destination=target, type="bind", source=str(source), options=(*_BIND, *mode))


def _below(source: Path) -> tuple[str, ...]:
    """Return what makes read-only what is mounted below, too (mount_setattr(2)).

    crun does it for folders only; below a file nothing can be mounted.
    """
    return ("rro",) if kernel.is_at_least(5, 12) and source.is_dir() else ()


def _tmpfs(spec: MountSpec) -> Mount:
    size = () if spec.tmpfs_size is None else (f"size={spec.tmpfs_size}",)
    rights = () if spec.tmpfs_mode is None else (f"mode={spec.tmpfs_mode:o}",)
    mode = "ro" if spec.read_only else "rw"
    return Mount(
        destination=spec.target,
        type="tmpfs",
        source="tmpfs",
        options=("nosuid", "nodev", "noexec", mode, *size, *rights),
    )
