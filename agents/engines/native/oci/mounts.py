"""What is mounted in a container: the system's own, volumes, binds, and files in /etc."""

from pathlib import Path

from agents.engines.native.oci import defaults
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.types import Mount
from agents.engines.specs import ContainerSpec, MountSpec
from agents.linux import kernel

INIT_TARGET = "/dev/init"
_SHM = "/dev/shm"  # noqa: S108 - a mount target in the container, no file of ours


def make_mounts(spec: ContainerSpec, places: Places) -> tuple[Mount, ...]:
    """Return all mounts of one container in the order that they are made."""
    own_network = "network" not in places.shared
    system = defaults.system_mounts(own_network=own_network, privileged=spec.privileged)
    init = () if places.init is None else (_file(places, places.init, INIT_TARGET),)
    files = tuple(_file(places, path, target) for target, path in places.files.items())
    # Parents before children, or a child would be hidden.
    asked = sorted(spec.mounts, key=lambda mount: mount.target.count("/"))
    return (
        *_without(_usual(spec, places), asked),
        *system,
        *(_mount(one, places) for one in asked),
        *_without(files, asked),
        *init,
    )


def _usual(spec: ContainerSpec, places: Places) -> tuple[Mount, ...]:
    """Return what every container has; /dev/shm belongs to the IPC namespace."""
    if places.shm is not None:
        shm = _bind(places, places.shm, _SHM)
    else:
        shm = defaults.shm_mount(spec.shm_size)
    return (*defaults.MOUNTS, shm)


def _without(mounts: tuple[Mount, ...], asked: list[MountSpec]) -> tuple[Mount, ...]:
    """Leave out what the spec mounts itself at the same place."""
    taken = {mount.target.rstrip("/") for mount in asked}
    return tuple(mount for mount in mounts if mount.destination not in taken)


def _mount(spec: MountSpec, places: Places) -> Mount:
    if spec.kind == "tmpfs":
        return _tmpfs(spec)
    source = places.volumes.get(spec.target, Path(spec.source))
    return _bind(
        places,
        source,
        spec.target,
        read_only=spec.read_only,
        propagation=spec.propagation or "rprivate",
    )


def _file(places: Places, path: Path, target: str) -> Mount:
    return _bind(places, path, target, read_only=target == INIT_TARGET)


def _bind(
    places: Places,
    source: Path,
    target: str,
    *,
    read_only: bool = False,
    propagation: str = "rprivate",
) -> Mount:
    mode = ("ro", *_below(source)) if read_only else ("rw",)
    mapped = ("idmap",) if places.is_mapped(source) else ()
    options = ("rbind", propagation, *mode, *mapped)
    found = places.attached.get(source, source)
    return Mount(destination=target, type="bind", source=str(found), options=options)


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
