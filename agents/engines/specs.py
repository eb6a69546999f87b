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


@dataclass(frozen=True, kw_only=True)
class EndpointSpec:
    """A place on a network; ``network`` is the engine's name of it."""

    network: str
    aliases: tuple[str, ...] = ()
    ipv4_address: str = ""
    mac_address: str = ""


@dataclass(frozen=True, kw_only=True)
class MountSpec:
    """Something mounted at ``target`` (absolute) in the container.

    ``source`` is a volume's name, a host path that must exist, or "" for tmpfs. ``inside`` is
    "" or a folder above a host path, below which no part of it may be a symbolic link.
    """

    kind: Literal["volume", "bind", "tmpfs"]
    target: str
    source: str = ""
    inside: str = ""
    read_only: bool = False
    tmpfs_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """When to start a container that ended; ``maximum_retries`` 0 means no bound."""

    name: RestartName = "no"
    maximum_retries: int = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a container may use at most."""

    cpus: float | None = None
    memory: int | None = None
    pids: int | None = None


@dataclass(frozen=True, kw_only=True)
class UlimitSpec:
    """One resource limit, by the names of getrlimit(2) in lower case: ``nofile``."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """A container to create.

    ``command`` and ``entrypoint`` None mean the image's; an empty tuple means none.
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
    network_mode: Literal["bridge", "none", "host"] = "bridge"
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
    spec_json: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """A network to create; ``subnet`` "" lets the engine pick one that clashes with nothing."""

    name: str
    driver: str = "bridge"
    subnet: str = ""
    gateway: str = ""
    internal: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class VolumeSpec:
    """A named volume to create."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


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
