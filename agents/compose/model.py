"""A project in one form, whichever form its files used: what engines and plans work from.

Durations are seconds, sizes bytes, CPU whole cores; ``None`` and empty mean "not said", so
the image's or the engine's own choice holds. Values at their default are left out of the
encoded form: a field added later changes no service's hash.
"""

from typing import Literal

import msgspec

from agents.compose.errors import Problem

PortProtocol = Literal["tcp", "udp"]
MountType = Literal["bind", "volume", "tmpfs"]
RestartName = Literal["no", "always", "on-failure", "unless-stopped"]
# "", "none", "host", "service:<name>" or "container:<name or id>".
NetworkMode = str
SHARES_SERVICE = "service:"
PullPolicy = Literal["missing", "always", "never", "build"]
Propagation = Literal["", "private", "rprivate", "shared", "rshared", "slave", "rslave"]
Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all parts of the model."""


class Build(Part, frozen=True, kw_only=True):
    """How to build an image. ``context`` is a path; ``dockerfile`` is relative to it.

    With ``dockerfile_inline`` the Dockerfile is that text and ``dockerfile`` is "".
    """

    context: str
    dockerfile: str = "Dockerfile"
    dockerfile_inline: str = ""
    args: dict[str, str] = {}
    target: str = ""
    labels: dict[str, str] = {}
    no_cache: bool = False
    pull: bool = False


class Port(Part, frozen=True, kw_only=True):
    """A port of the container and where the host offers it.

    ``published`` None means any free port; with ``published_last`` any free one of that
    range. ``host_ip`` "" means every address.
    """

    target: int
    published: int | None = None
    published_last: int | None = None
    host_ip: str = ""
    protocol: PortProtocol = "tcp"


class Mount(Part, frozen=True, kw_only=True):
    """Something mounted into the container at ``target``.

    ``source`` is a host path (bind) or a volume's key in the project ("" for an anonymous
    one); ``volume_name`` is that volume's real name. ``create_host_path`` allows a missing
    path of a bind mount to be made.
    """

    type: MountType
    target: str
    source: str = ""
    volume_name: str = ""
    read_only: bool = False
    create_host_path: bool = True
    propagation: Propagation = ""
    selinux: str = ""
    nocopy: bool = False
    subpath: str = ""
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None


class Attachment(Part, frozen=True, kw_only=True):
    """A service's place on a network: its key in the project and its real name."""

    network: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    ipv4_address: str = ""
    ipv6_address: str = ""
    mac_address: str = ""
    priority: int = 0
    gateway_priority: int = 0


class Dependency(Part, frozen=True, kw_only=True):
    """A service that must have reached ``condition`` before this one starts.

    With ``restart`` this one is restarted after that one was replaced.
    """

    service: str
    condition: Condition = "service_started"
    restart: bool = False
    required: bool = True


class Restart(Part, frozen=True, kw_only=True):
    """When to start a container that ended; ``max_retries`` 0 means no bound."""

    policy: RestartName = "no"
    max_retries: int = 0


class Healthcheck(Part, frozen=True, kw_only=True):
    """How to see that a container is well; ``disable`` switches the image's check off."""

    test: tuple[str, ...] = ()
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    start_interval: float | None = None
    retries: int | None = None
    disable: bool = False


class Logging(Part, frozen=True, kw_only=True):
    """When the log of a container is given another file, and how many files are kept."""

    max_size: int | None = None
    max_files: int | None = None


class Ulimit(Part, frozen=True, kw_only=True):
    """One resource limit, by its name in getrlimit(2) in lower case; -1 is unlimited."""

    name: str
    soft: int
    hard: int


class Limits(Part, frozen=True, kw_only=True):
    """What a container may use; ``memory_swap`` counts memory and swap, -1 is no bound.

    The four maps give bytes or operations a second for the path of a block device.
    """

    cpus: float | None = None
    memory: int | None = None
    pids: int | None = None
    cpu_shares: int | None = None
    cpuset: str = ""
    memory_swap: int | None = None
    memory_reservation: int | None = None
    blkio_weight: int | None = None
    read_bytes: dict[str, int] = {}
    write_bytes: dict[str, int] = {}
    read_operations: dict[str, int] = {}
    write_operations: dict[str, int] = {}


class Device(Part, frozen=True, kw_only=True):
    """A device of the host, or a folder of them; ``access`` is of r, w and m."""

    source: str
    target: str = ""
    access: str = "rwm"


class Security(Part, frozen=True, kw_only=True):
    """What keeps a container from the host. ``seccomp`` is "", "unconfined" or a profile's text.

    ``unmask`` shows what is hidden of /proc and /sys.
    """

    no_new_privileges: bool = False
    seccomp: str = ""
    user_namespace: Literal["", "host"] = ""
    unmask: bool = False


class Service(Part, frozen=True, kw_only=True):
    """One service. ``command`` and ``entrypoint`` None mean the image's, empty means none.

    ``image`` is never empty in a loaded project: a built service without one gets
    ``<project>-<service>``. ``environment`` holds everything, ``env_file`` included.
    """

    name: str
    image: str = ""
    build: Build | None = None
    pull_policy: PullPolicy = "missing"
    scale: int = 1
    profiles: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    container_name: str = ""
    restart: Restart = Restart()
    labels: dict[str, str] = {}
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: dict[str, str] = {}
    working_dir: str = ""
    user: str = ""
    hostname: str = ""
    init: bool = False
    stop_signal: str = ""
    stop_grace_period: float = 10.0
    healthcheck: Healthcheck | None = None
    logging: Logging | None = None
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    networks: tuple[Attachment, ...] = ()
    network_mode: NetworkMode = ""
    extra_hosts: dict[str, str] = {}
    dns: tuple[str, ...] = ()
    volumes: tuple[Mount, ...] = ()
    read_only: bool = False
    limits: Limits = Limits()
    ulimits: tuple[Ulimit, ...] = ()
    sysctls: dict[str, str] = {}
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security: Security = Security()
    devices: tuple[Device, ...] = ()
    device_rules: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    pid_mode: str = ""
    ipc_mode: str = ""
    uts_mode: Literal["", "host"] = ""
    domainname: str = ""
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    shm_size: int | None = None
    oom_score_adj: int | None = None
    tty: bool = False
    open_stdin: bool = False


def shared_service(service: Service) -> str:
    """Return the service whose network a service shares, "" for one that shares none."""
    mode = service.network_mode
    return mode.removeprefix(SHARES_SERVICE) if mode.startswith(SHARES_SERVICE) else ""


class Subnet(Part, frozen=True, kw_only=True):
    """A range of addresses of a network, in CIDR notation."""

    subnet: str
    gateway: str = ""
    ip_range: str = ""


class Network(Part, frozen=True, kw_only=True):
    """A network: ``key`` in the file, ``name`` on the host. An external one is not made.

    Of ``subnets`` there is at most one of each family.
    """

    key: str
    name: str
    driver: str = "bridge"
    internal: bool = False
    external: bool = False
    attachable: bool = False
    ipv6: bool = False
    options: dict[str, str] = {}
    subnets: tuple[Subnet, ...] = ()
    labels: dict[str, str] = {}


class Volume(Part, frozen=True, kw_only=True):
    """A named volume: ``key`` in the file, ``name`` on the host."""

    key: str
    name: str
    driver: str = "local"
    external: bool = False
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


class Project(Part, frozen=True, kw_only=True):
    """A whole project. ``services`` has those whose profiles are active, by name.

    ``networks`` and ``volumes`` are by key, and only those that a service uses.
    ``disabled`` names the services left out; ``config_files`` are relative paths.
    """

    name: str
    services: dict[str, Service]
    networks: dict[str, Network] = {}
    volumes: dict[str, Volume] = {}
    disabled: tuple[str, ...] = ()
    working_dir: str = ""
    config_files: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
