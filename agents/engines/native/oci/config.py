"""From a container's spec to the configuration that the OCI runtime reads.

Pure: everything that must be looked up (users, paths, images) is given. Seccomp filters
are not set yet; containers have the default capabilities, masked paths and device rules.
"""

import logging
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.oci import capabilities, defaults
from agents.engines.native.oci.types import (
    VERSION,
    Capabilities,
    Config,
    Cpu,
    Linux,
    Memory,
    Mount,
    Namespace,
    NamespaceKind,
    Pids,
    Process,
    Resources,
    Rlimit,
    Root,
    User,
)
from agents.engines.specs import ContainerSpec, Limits, MountSpec, UlimitSpec
from agents.errors import InvalidInputError

logger = logging.getLogger(__name__)

CPU_PERIOD = 100_000
INIT_TARGET = "/dev/init"
_BIND = ("rbind", "rprivate")


@dataclass(frozen=True, kw_only=True)
class ProcessPlan:
    """The first process, with the image's part and the spec's part put together."""

    args: tuple[str, ...]
    env: tuple[str, ...]
    cwd: str
    user: User


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where on the host the parts of a container are.

    ``network`` is the namespace's file, None the host's network. ``files`` are bound over
    single files: target in the container to path on the host. ``volumes`` gives the folder
    for the target of each volume mount. ``init`` is a static init program.
    """

    rootfs: Path
    cgroup: str
    network: Path | None
    files: Mapping[str, Path]
    volumes: Mapping[str, Path]
    init: Path | None = None


def make_config(spec: ContainerSpec, process: ProcessPlan, places: Places) -> Config:
    """Return the configuration of one container.

    Raises:
        InvalidInputError: a limit, capability or ulimit is wrong.
        NotSupportedError: this host cannot give a capability.
    """
    return Config(
        oci_version=VERSION,
        process=_process(spec, process, places),
        root=Root(path=str(places.rootfs), readonly=spec.read_only),
        linux=_linux(spec, places),
        mounts=_mounts(spec, places),
        hostname=spec.hostname,
    )


def check_spec(spec: ContainerSpec) -> None:
    """Raise what :func:`make_config` would raise for a spec, before anything is made."""
    capabilities.choose(add=spec.cap_add, drop=spec.cap_drop, privileged=spec.privileged)
    _resources(spec.limits, privileged=spec.privileged)
    for limit in spec.ulimits:
        _rlimit(limit)


def _process(spec: ContainerSpec, plan: ProcessPlan, places: Places) -> Process:
    chosen = capabilities.choose(add=spec.cap_add, drop=spec.cap_drop, privileged=spec.privileged)
    args = plan.args if places.init is None else (INIT_TARGET, "--", *plan.args)
    return Process(
        args=args,
        env=plan.env,
        cwd=plan.cwd,
        user=plan.user,
        capabilities=Capabilities(bounding=chosen, effective=chosen, permitted=chosen),
        rlimits=tuple(_rlimit(one) for one in spec.ulimits),
    )


def _rlimit(spec: UlimitSpec) -> Rlimit:
    name = f"RLIMIT_{spec.name.upper()}"
    number = getattr(resource, name, None)
    if number is None:
        raise InvalidInputError(f"there is no resource limit {spec.name}", field="ulimits")
    if not 0 <= spec.soft <= spec.hard:
        raise InvalidInputError(f"the limits of {spec.name} are out of order", field="ulimits")
    hard = spec.hard
    own = resource.getrlimit(number)[1]
    is_over = own != resource.RLIM_INFINITY and hard > own
    if is_over and "SYS_RESOURCE" not in capabilities.available():
        # setrlimit(2) would refuse: only CAP_SYS_RESOURCE raises a hard limit.
        logger.warning("%s is lowered from %d to this host's %d", spec.name, hard, own)
        hard = own
    return Rlimit(type=name, soft=min(spec.soft, hard), hard=hard)


def _linux(spec: ContainerSpec, places: Places) -> Linux:
    own_network = places.network is not None
    sysctl = {**(defaults.NETWORK_SYSCTLS if own_network else {}), **spec.sysctls}
    return Linux(
        namespaces=_namespaces(places.network),
        cgroups_path=places.cgroup,
        resources=_resources(spec.limits, privileged=spec.privileged),
        masked_paths=() if spec.privileged else defaults.MASKED_PATHS,
        readonly_paths=() if spec.privileged else defaults.READONLY_PATHS,
        sysctl=sysctl,
    )


def _namespaces(network: Path | None) -> tuple[Namespace, ...]:
    kinds: tuple[NamespaceKind, ...] = ("pid", "ipc", "uts", "mount", "cgroup")
    made = tuple(Namespace(type=kind) for kind in kinds)
    if network is None:
        return made
    return (*made, Namespace(type="network", path=str(network)))


def _resources(limits: Limits, *, privileged: bool) -> Resources:
    for name, value in (("cpus", limits.cpus), ("memory", limits.memory), ("pids", limits.pids)):
        if value is not None and value <= 0:
            raise InvalidInputError(f"the limit of {name} must be above 0", field=name)
    cpu = None
    if limits.cpus is not None:
        # The kernel takes no quota under a millisecond (Documentation/scheduler/sched-bwc).
        cpu = Cpu(quota=max(1000, round(limits.cpus * CPU_PERIOD)), period=CPU_PERIOD)
    return Resources(
        devices=defaults.ALL_DEVICES if privileged else defaults.DEVICES,
        memory=None if limits.memory is None else Memory(limit=limits.memory),
        cpu=cpu,
        pids=None if limits.pids is None else Pids(limit=limits.pids),
    )


def _mounts(spec: ContainerSpec, places: Places) -> tuple[Mount, ...]:
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
    source = Path(spec.source) if spec.kind == "bind" else places.volumes[spec.target]
    return _bind(source, spec.target, read_only=spec.read_only)


def _bind(source: Path, target: str, *, read_only: bool = False) -> Mount:
    mode = "ro" if read_only else "rw"
    return Mount(destination=target, type="bind", source=str(source), options=(*_BIND, mode))


def _tmpfs(spec: MountSpec) -> Mount:
    size = () if spec.tmpfs_size is None else (f"size={spec.tmpfs_size}",)
    mode = "ro" if spec.read_only else "rw"
    return Mount(
        destination=spec.target,
        type="tmpfs",
        source="tmpfs",
        options=("nosuid", "nodev", "noexec", mode, *size),
    )
