"""What an engine is asked to make: frozen specs, the same for every engine.

Sizes are bytes, durations seconds, CPU in whole cores (0.5 is half a core). ``None`` or an
empty tuple means "the engine's default".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Protocol = Literal["tcp", "udp"]
RestartName = Literal["no", "always", "on-failure", "unless-stopped"]


@dataclass(frozen=True, kw_only=True)
class PortSpec:
    """A port of the container to publish; ``host_ip`` "" means all, ``host_port`` 0 any free."""

    container_port: int
    host_port: int = 0
    host_ip: str = ""
    protocol: Protocol = "tcp"
    # With a greater number than ``host_port``: any free one from there to here.
    host_port_end: int = 0


@dataclass(frozen=True, kw_only=True)
class EndpointSpec:
    """A place on a network; ``network`` is the engine's name of it."""

    network: str
    aliases: tuple[str, ...] = ()
    ipv4_address: str = ""
    ipv6_address: str = ""
    mac_address: str = ""
    # The endpoint with the greatest one has the default route.
    gateway_priority: int = 0


@dataclass(frozen=True, kw_only=True)
class MountSpec:
    """Something mounted at ``target`` (absolute) in the container.

    ``source`` is a volume's name, a host path that must exist, or "" for tmpfs. ``inside`` is
    "" or a folder above a host path, below which no part of it may be a symbolic link.
    ``subpath`` is a relative path inside a volume. ``no_copy`` leaves a new volume empty.
    ``propagation`` is of a bind, as mount_namespaces(7) has it.
    """

    kind: Literal["volume", "bind", "tmpfs"]
    target: str
    source: str = ""
    inside: str = ""
    read_only: bool = False
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None
    subpath: str = ""
    no_copy: bool = False
    propagation: Literal["", "private", "rprivate", "shared", "rshared", "slave", "rslave"] = ""


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """When to start a container that ended; ``maximum_retries`` 0 means no bound."""

    name: RestartName = "no"
    maximum_retries: int = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a container may use, by its cgroup.

    ``cpus`` is a quota in cores, ``cpu_shares`` a weight (Docker's scale: 1024 is usual),
    ``cpuset_cpus`` and ``cpuset_mems`` lists like ``0-2,4``. ``memory_swap`` counts memory and
    swap together, -1 for no bound; ``memory_reservation`` is what it keeps under pressure.
    ``blkio_weight`` is 10 to 1000; the four maps give bytes or operations a second for the
    path of a block device; ``huge_pages`` bytes for a page size such as ``2MB``.
    """

    cpus: float | None = None
    cpu_shares: int | None = None
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    memory: int | None = None
    memory_swap: int | None = None
    memory_reservation: int | None = None
    pids: int | None = None
    blkio_weight: int | None = None
    read_bytes: Mapping[str, int] = field(default_factory=dict)
    write_bytes: Mapping[str, int] = field(default_factory=dict)
    read_operations: Mapping[str, int] = field(default_factory=dict)
    write_operations: Mapping[str, int] = field(default_factory=dict)
    huge_pages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UpdateSpec:
    """What to change of a container while it is there, running or not.

    Fields of ``limits`` at their defaults stay as they are; those named in ``lifted`` are
    taken away. The maps of ``limits`` are taken as a whole. ``restart`` None keeps the policy.
    """

    limits: Limits = field(default_factory=Limits)
    lifted: tuple[str, ...] = ()
    restart: RestartPolicy | None = None


@dataclass(frozen=True, kw_only=True)
class UlimitSpec:
    """One limit by its name of getrlimit(2) in lower case, ``nofile``; -1 is no bound."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, kw_only=True)
class HealthcheckSpec:
    """How to ask a container whether it is well.

    ``test`` begins with ``CMD``, ``CMD-SHELL`` or ``NONE``; empty means the image's test with
    the other fields in place of the image's where they are given.
    """

    test: tuple[str, ...] = ()
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    start_interval: float | None = None
    retries: int | None = None


@dataclass(frozen=True, kw_only=True)
class LogSpec:
    """When a container's log is rotated: at ``max_size`` bytes, keeping ``max_files``."""

    max_size: int | None = None
    max_files: int | None = None


@dataclass(frozen=True, kw_only=True)
class DeviceSpec:
    """A device of the host; ``source`` may be a folder of devices. Access is of r, w and m."""

    source: str
    target: str = ""
    access: str = "rwm"


@dataclass(frozen=True, kw_only=True)
class SecuritySpec:
    """What keeps a container from the host; the defaults are the safe ones.

    ``seccomp`` is "" for the engine's profile, ``unconfined``, or the JSON text of a profile
    in Docker's form. ``user_namespace`` "host" makes root inside root outside.
    ``unmask`` shows the parts of /proc and /sys that are hidden otherwise.
    """

    no_new_privileges: bool = False
    seccomp: str = ""
    user_namespace: Literal["", "host"] = ""
    unmask: bool = False


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """A container to create.

    ``command`` and ``entrypoint`` None mean the image's; an empty tuple means none.
    ``network_mode`` (and ``pid_mode``, ``ipc_mode``) ``container:<name or id>`` shares that
    container's; ``shareable`` lets others share this one's IPC. ``groups`` are names or
    numbers. ``shm_size`` is of /dev/shm. ``tty`` gives it a terminal, ``open_stdin`` a stdin
    that someone may attach to, ``stdin_once`` closes that with an attachment (never a
    terminal). ``auto_remove`` removes it when it has ended.
    ``spec_json`` is kept beside the container for the next plan, and shown to nobody else.
    """

    name: str
    image: str
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    user: str = ""
    hostname: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[EndpointSpec, ...] = ()
    # "bridge", "none", "host" or "container:<name or id>"
    network_mode: str = "bridge"
    ports: tuple[PortSpec, ...] = ()
    mounts: tuple[MountSpec, ...] = ()
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    limits: Limits = field(default_factory=Limits)
    stop_signal: str = ""
    stop_grace: float = 10.0
    read_only: bool = False
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    extra_hosts: Mapping[str, str] = field(default_factory=dict)
    dns: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    ulimits: tuple[UlimitSpec, ...] = ()
    init: bool = False
    domainname: str = ""
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    devices: tuple[DeviceSpec, ...] = ()
    device_rules: tuple[str, ...] = ()
    security: SecuritySpec = field(default_factory=SecuritySpec)
    pid_mode: str = ""
    ipc_mode: str = ""
    uts_mode: Literal["", "host"] = ""
    shm_size: int | None = None
    oom_score_adj: int | None = None
    healthcheck: HealthcheckSpec = field(default_factory=HealthcheckSpec)
    log: LogSpec = field(default_factory=LogSpec)
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    auto_remove: bool = False
    spec_json: str = ""


@dataclass(frozen=True, kw_only=True)
class TerminalSize:
    """Rows and columns of a terminal, in characters."""

    rows: int
    columns: int


@dataclass(frozen=True, kw_only=True)
class ExecSpec:
    """A program to run in a container that runs.

    ``environment`` is added to the container's. ``user`` and ``working_dir`` "" mean the
    container's own. ``tty`` gives it a terminal (of ``size``), ``stdin`` an input that may be
    written to; with ``detach`` it has neither, and nobody reads its output. ``detach_keys``
    is a sequence such as ``ctrl-p,ctrl-q``, "" none. ``privileged`` gives all capabilities.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_dir: str = ""
    tty: bool = False
    stdin: bool = False
    detach: bool = False
    privileged: bool = False
    detach_keys: str = ""
    size: TerminalSize | None = None


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """A network to create; ``subnet`` "" lets the engine pick one that clashes with nothing.

    ``ip_range`` is the part of the subnet that addresses are given from. ``ipv6`` gives it a
    second subnet, ``subnet6`` or one that the engine picks. ``parent`` is the interface of
    the host that a ``macvlan`` sits on. ``options`` are the driver's own, such as ``mtu``.
    """

    name: str
    driver: str = "bridge"
    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    ipv6: bool = False
    subnet6: str = ""
    gateway6: str = ""
    internal: bool = False
    parent: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class VolumeSpec:
    """A named volume to create.

    ``options`` are those of Docker's local driver: ``type``, ``device`` and ``o`` of mount(8).
    ``anonymous`` marks one that no person gave a name to: the first to go when pruning.
    """

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False


@dataclass(frozen=True, kw_only=True)
class BuildSpec:
    """An image to build.

    ``context`` is a folder; nothing outside it is read. ``dockerfile`` is relative to it.
    ``references`` are the names the image gets when the build succeeds, and only then.
    """

    context: Path
    references: tuple[str, ...]
    dockerfile: str = "Dockerfile"
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    use_cache: bool = True


@dataclass(frozen=True, kw_only=True)
class PruneSpec:
    """Which unused images to remove: those without a name, or with ``all`` the named too.

    ``until`` spares what was made after that time (seconds since the epoch). ``labels`` and
    ``without_labels`` hold ``key`` or ``key=value``: an image must bear all of the first and
    none of the second. ``ids`` are the only ones meant, unless there are none. With
    ``keep_steps`` the build cache keeps the layers, so that the same build is quick again.
    """

    all: bool = False
    ids: tuple[str, ...] = ()
    keep_steps: bool = False
    until: float | None = None
    labels: tuple[str, ...] = ()
    without_labels: tuple[str, ...] = ()
