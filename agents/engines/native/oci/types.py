"""``config.json`` of the OCI runtime specification, as far as this engine uses it."""

from typing import Literal

import msgspec

VERSION = "1.0.2"

NamespaceKind = Literal["pid", "network", "ipc", "uts", "mount", "cgroup", "user"]


class OciStruct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base: names in camel case, fields left at their defaults are not written."""


class User(OciStruct, frozen=True, kw_only=True):
    """Who the first process is."""

    uid: int = 0
    gid: int = 0
    additional_gids: tuple[int, ...] = ()


class Capabilities(OciStruct, frozen=True, kw_only=True):
    """Capability sets, by their names with ``CAP_``; see capabilities(7)."""

    bounding: tuple[str, ...] = ()
    effective: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    inheritable: tuple[str, ...] = ()
    ambient: tuple[str, ...] = ()


class Rlimit(OciStruct, frozen=True, kw_only=True):
    """One limit of setrlimit(2)."""

    type: str
    soft: int
    hard: int


class Process(OciStruct, frozen=True, kw_only=True):
    """The first process."""

    args: tuple[str, ...]
    env: tuple[str, ...]
    cwd: str
    user: User
    capabilities: Capabilities
    rlimits: tuple[Rlimit, ...] = ()
    no_new_privileges: bool = False
    terminal: bool = False
    oom_score_adj: int | None = None


class Root(OciStruct, frozen=True, kw_only=True):
    """The root file system."""

    path: str
    readonly: bool = False


class Mount(OciStruct, frozen=True, kw_only=True):
    """One mount; they are made in order."""

    destination: str
    type: str = ""
    source: str = ""
    options: tuple[str, ...] = ()


class Namespace(OciStruct, frozen=True, kw_only=True):
    """A namespace to make, or with ``path`` to join."""

    type: NamespaceKind
    path: str = ""


class DeviceRule(OciStruct, frozen=True, kw_only=True):
    """What may be done with devices, in the devices cgroup; None is any number."""

    allow: bool
    type: str = ""
    major: int | None = None
    minor: int | None = None
    access: str = ""


class Memory(OciStruct, frozen=True, kw_only=True):
    """Bytes; ``swap`` counts memory and swap together, -1 is no bound."""

    limit: int | None = None
    swap: int | None = None
    reservation: int | None = None


class Cpu(OciStruct, frozen=True, kw_only=True):
    """Microseconds of CPU time in each period, a weight, and lists of CPUs and nodes."""

    shares: int | None = None
    quota: int | None = None
    period: int | None = None
    cpus: str = ""
    mems: str = ""


class Pids(OciStruct, frozen=True, kw_only=True):
    """Number of processes and threads."""

    limit: int


class Throttle(OciStruct, frozen=True, kw_only=True):
    """Bytes or operations a second for one block device."""

    major: int
    minor: int
    rate: int


class BlockIo(OciStruct, frozen=True, kw_only=True):
    """Weight (10 to 1000) and bounds of block devices."""

    weight: int | None = None
    throttle_read_bps_device: tuple[Throttle, ...] = msgspec.field(
        default=(), name="throttleReadBpsDevice"
    )
    throttle_write_bps_device: tuple[Throttle, ...] = msgspec.field(
        default=(), name="throttleWriteBpsDevice"
    )
    throttle_read_iops_device: tuple[Throttle, ...] = msgspec.field(
        default=(), name="throttleReadIOPSDevice"
    )
    throttle_write_iops_device: tuple[Throttle, ...] = msgspec.field(
        default=(), name="throttleWriteIOPSDevice"
    )


class HugePageLimit(OciStruct, frozen=True, kw_only=True):
    """Bytes of huge pages of one size, such as ``2MB``."""

    page_size: str
    limit: int


class Resources(OciStruct, frozen=True, kw_only=True):
    """Limits by cgroups."""

    devices: tuple[DeviceRule, ...] = ()
    memory: Memory | None = None
    cpu: Cpu | None = None
    pids: Pids | None = None
    block_io: BlockIo | None = msgspec.field(default=None, name="blockIO")
    hugepage_limits: tuple[HugePageLimit, ...] = ()


class IdMapping(OciStruct, frozen=True, kw_only=True):
    """``size`` ids inside from ``container_id`` on are those outside from ``host_id`` on."""

    container_id: int = msgspec.field(name="containerID")
    host_id: int = msgspec.field(name="hostID")
    size: int


class Device(OciStruct, frozen=True, kw_only=True):
    """A device node to make in the container."""

    path: str
    type: str
    major: int
    minor: int
    file_mode: int | None = None
    uid: int | None = None
    gid: int | None = None


class SyscallArgument(OciStruct, frozen=True, kw_only=True):
    """A condition on one argument of a system call; see seccomp_rule_add(3)."""

    index: int
    value: int
    op: str
    value_two: int = 0


class SyscallRule(OciStruct, frozen=True, kw_only=True):
    """What happens at system calls of these names."""

    names: tuple[str, ...]
    action: str
    errno_ret: int | None = None
    args: tuple[SyscallArgument, ...] = ()


class Seccomp(OciStruct, frozen=True, kw_only=True):
    """Which system calls are allowed; see seccomp(2)."""

    default_action: str
    default_errno_ret: int | None = None
    architectures: tuple[str, ...] = ()
    syscalls: tuple[SyscallRule, ...] = ()


class Linux(OciStruct, frozen=True, kw_only=True):
    """What only Linux has."""

    namespaces: tuple[Namespace, ...]
    cgroups_path: str
    resources: Resources
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    sysctl: dict[str, str] = {}
    uid_mappings: tuple[IdMapping, ...] = ()
    gid_mappings: tuple[IdMapping, ...] = ()
    devices: tuple[Device, ...] = ()
    seccomp: Seccomp | None = None
    rootfs_propagation: str = ""


class Config(OciStruct, frozen=True, kw_only=True):
    """The whole of ``config.json``."""

    oci_version: str = msgspec.field(name="ociVersion")
    process: Process
    root: Root
    linux: Linux
    mounts: tuple[Mount, ...]
    hostname: str = ""
    domainname: str = ""
    annotations: dict[str, str] = {}


def encode(config: Config) -> bytes:
    """Return the JSON of a configuration."""
    return msgspec.json.encode(config)
