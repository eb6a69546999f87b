"""What the kernel holds of one container, in plain frozen records.

All is read from the kernel; ``differences`` says where that is not what the engine recorded.
"""

from typing import Literal

from agents.protocol.records import Record

SeccompMode = Literal["disabled", "strict", "filter"]


class NamespaceHeld(Record, frozen=True, kw_only=True):
    """A namespace by its inode number; ``of_host`` if it is the one of the host's init."""

    kind: str
    inode: int
    of_host: bool = False


class IdRange(Record, frozen=True, kw_only=True):
    """``size`` ids inside from ``inside`` on are those of the host from ``outside`` on."""

    inside: int
    outside: int
    size: int


class CgroupHeld(Record, frozen=True, kw_only=True):
    """Where its first process is in one hierarchy: "v2", or the names of v1 controllers."""

    hierarchy: str
    path: str


class ValueHeld(Record, frozen=True, kw_only=True):
    """A limit as its file has it; ``field`` is the engine's word for it."""

    field: str
    file: str
    value: str


class MountHeld(Record, frozen=True, kw_only=True):
    """One line of its mountinfo: ``root`` is the part of ``source`` that is seen at ``target``."""

    target: str
    kind: str
    source: str
    root: str = "/"
    options: tuple[str, ...] = ()
    source_options: str = ""


class InterfaceHeld(Record, frozen=True, kw_only=True):
    """An interface in its network namespace, and the host's end of its cable.

    Addresses have their prefix lengths. ``host_name`` "" and ``host_index`` 0 for one that
    has no other end on this host, such as a loopback.
    """

    name: str
    index: int
    kind: str = ""
    mac_address: str = ""
    mtu: int = 0
    is_up: bool = False
    addresses: tuple[str, ...] = ()
    host_name: str = ""
    host_index: int = 0
    bridge: str = ""


class RouteHeld(Record, frozen=True, kw_only=True):
    """A route of its main tables; ``gateway`` "" for what is on the link itself."""

    destination: str
    interface: str
    gateway: str = ""


class PortHeld(Record, frozen=True, kw_only=True):
    """A published port as packet rules have it; ``host_ip`` "" is every address of the host."""

    protocol: str
    host_port: int
    address: str
    port: int
    host_ip: str = ""


class LimitHeld(Record, frozen=True, kw_only=True):
    """One limit of getrlimit(2); None is no bound."""

    name: str
    soft: int | None = None
    hard: int | None = None


class ProcessHeld(Record, frozen=True, kw_only=True):
    """Its first process. Capabilities are names without ``CAP_``, by the name of the set."""

    pid: int
    seccomp: SeccompMode
    no_new_privileges: bool
    capabilities: dict[str, tuple[str, ...]]
    oom_score: int
    oom_score_adj: int
    limits: tuple[LimitHeld, ...] = ()


class Difference(Record, frozen=True, kw_only=True):
    """Something is ``found`` otherwise than it was ``recorded``; "" is "not there"."""

    subject: str
    recorded: str
    found: str


class KernelView(Record, frozen=True, kw_only=True):
    """All that the kernel holds of one running container, at ``at``.

    ``root`` is the mount of its root file system, of which ``layers`` are the read-only
    folders, lowest first. ``frozen`` if it is held still.
    """

    container_id: str
    at: float
    process: ProcessHeld
    namespaces: tuple[NamespaceHeld, ...]
    users: tuple[IdRange, ...]
    groups: tuple[IdRange, ...]
    cgroups: tuple[CgroupHeld, ...]
    values: tuple[ValueHeld, ...]
    frozen: bool = False
    root: MountHeld | None = None
    layers: tuple[str, ...] = ()
    mounts: tuple[MountHeld, ...] = ()
    interfaces: tuple[InterfaceHeld, ...] = ()
    routes: tuple[RouteHeld, ...] = ()
    ports: tuple[PortHeld, ...] = ()
    differences: tuple[Difference, ...] = ()
