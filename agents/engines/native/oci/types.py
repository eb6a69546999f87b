"""``config.json`` of the OCI runtime specification, as far as this engine uses it."""

from typing import Literal

import msgspec

VERSION = "1.0.2"

NamespaceKind = Literal["pid", "network", "ipc", "uts", "mount", "cgroup"]


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
    """Bytes; ``swap`` counts memory and swap together."""

    limit: int | None = None
    swap: int | None = None


class Cpu(OciStruct, frozen=True, kw_only=True):
    """Microseconds of CPU time in each period."""

    quota: int | None = None
    period: int | None = None


class Pids(OciStruct, frozen=True, kw_only=True):
    """Number of processes and threads."""

    limit: int


class Resources(OciStruct, frozen=True, kw_only=True):
    """Limits by cgroups."""

    devices: tuple[DeviceRule, ...] = ()
    memory: Memory | None = None
    cpu: Cpu | None = None
    pids: Pids | None = None


class Linux(OciStruct, frozen=True, kw_only=True):
    """What only Linux has."""

    namespaces: tuple[Namespace, ...]
    cgroups_path: str
    resources: Resources
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    sysctl: dict[str, str] = {}


class Config(OciStruct, frozen=True, kw_only=True):
    """The whole of ``config.json``."""

    oci_version: str = msgspec.field(name="ociVersion")
    process: Process
    root: Root
    linux: Linux
    mounts: tuple[Mount, ...]
    hostname: str = ""


def encode(config: Config) -> bytes:
    """Return the JSON of a configuration."""
    return msgspec.json.encode(config)
