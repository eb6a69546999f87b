"""The things that both sides describe, as plain frozen records.

Times are seconds since the epoch (float, UTC), sizes are bytes, durations seconds.
"""

from typing import Literal

import msgspec

ContainerState = Literal[
    "created", "starting", "running", "paused", "restarting", "stopping", "exited", "dead"
]


HealthState = Literal["", "starting", "healthy", "unhealthy"]
EventKind = Literal["container", "image", "network", "volume"]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all records."""


class PortRecord(Record, frozen=True, kw_only=True):
    """A published port as it is in force."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: Literal["tcp", "udp"] = "tcp"


class EndpointRecord(Record, frozen=True, kw_only=True):
    """A container's place on one network."""

    network: str
    ipv4_address: str = ""
    mac_address: str = ""
    gateway: str = ""
    aliases: tuple[str, ...] = ()
    ipv6_address: str = ""
    gateway6: str = ""
    interface: str = ""


class ContainerRecord(Record, frozen=True, kw_only=True):
    """One container as its engine sees it now.

    ``sequence`` grows with each change of this container on this host; the greater of two
    records is the newer. ``oom_killed`` tells a kill for want of memory from an exit.
    ``user_namespace`` "host" means that root inside is root outside, for the reason given;
    "" that the engine does not tell.
    ``spec_json`` is the canonical service spec of the ``up`` that made it ("" if none).
    """

    id: str
    name: str
    image: str
    image_id: str
    engine: str
    state: ContainerState
    sequence: int
    exit_code: int | None = None
    oom_killed: bool = False
    # Whether a person ended it, so that its exit code tells of no failure.
    stopped: bool = False
    error: str = ""
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    restart_count: int = 0
    # When its policy starts it again, while it is "restarting".
    restart_at: float | None = None
    health: HealthState = ""
    command: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    ports: tuple[PortRecord, ...] = ()
    endpoints: tuple[EndpointRecord, ...] = ()
    user_namespace: Literal["", "private", "host"] = ""
    user_namespace_reason: str = ""
    # What of its spec this host could not give while it runs, in sentences.
    warnings: tuple[str, ...] = ()
    spec_json: str = ""


class HealthResult(Record, frozen=True, kw_only=True):
    """One run of a health check.

    ``exit_code`` is -1 for one that was ended at its timeout; ``output`` is the beginning of
    what it wrote, at most 4 kB.
    """

    started_at: float
    finished_at: float
    exit_code: int
    output: str = ""


class HealthRecord(Record, frozen=True, kw_only=True):
    """What is known of a container's health; ``state`` "" means that nobody checks it.

    ``failures`` counts the failed checks in a row; ``results`` are the last five, oldest first.
    """

    state: HealthState = ""
    failures: int = 0
    results: tuple[HealthResult, ...] = ()


class EngineEvent(Record, frozen=True, kw_only=True):
    """Something that happened in an engine; ``action`` is Docker's word for it.

    ``attributes`` depend on the action: ``exit_code`` of die, ``signal`` of kill, ``health`` of
    health_status, ``image`` of every container. ``labels`` are the thing's own.
    """

    sequence: int
    at: float
    kind: EventKind
    action: str
    id: str
    name: str = ""
    labels: dict[str, str] = {}
    attributes: dict[str, str] = {}


class ImageRecord(Record, frozen=True, kw_only=True):
    """An image in an engine's store; ``size`` counts its layers, shared or not.

    ``digests`` are what registries call it: ``repository@sha256:…``.
    """

    id: str
    references: tuple[str, ...]
    size: int
    created_at: float = 0.0
    digests: tuple[str, ...] = ()


class LayerRecord(Record, frozen=True, kw_only=True):
    """One layer of an image: ``diff_id`` is the digest of its plain tar.

    ``shared_by`` counts the other images on this host that stand on it too.
    """

    diff_id: str
    size: int
    shared_by: int = 0


class HistoryRecord(Record, frozen=True, kw_only=True):
    """One step of how an image came about, and what it added in bytes.

    ``id`` is the image's in the newest row and "" in all others.
    """

    id: str = ""
    created_at: float = 0.0
    created_by: str = ""
    comment: str = ""
    size: int = 0
    is_empty: bool = False


class HealthcheckRecord(Record, frozen=True, kw_only=True):
    """How an image wants to be asked whether it is well; 0 means the engine's default."""

    test: tuple[str, ...]
    interval: float = 0.0
    timeout: float = 0.0
    start_period: float = 0.0
    start_interval: float = 0.0
    retries: int = 0


class ImageDetails(Record, frozen=True, kw_only=True):
    """All that is known of an image.

    ``references`` are its names, ``digests`` what registries call it
    (``repository@sha256:…``). ``size`` counts all ``layers`` (lowest first), ``shared_size``
    those that other images stand on too. ``containers`` are the ids of those made from it,
    running or not.
    """

    id: str
    references: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    created_at: float = 0.0
    architecture: str = ""
    os: str = ""
    author: str = ""
    comment: str = ""
    environment: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    stop_signal: str = ""
    healthcheck: HealthcheckRecord | None = None
    shell: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    layers: tuple[LayerRecord, ...] = ()
    size: int = 0
    shared_size: int = 0
    containers: tuple[str, ...] = ()


class FileChange(Record, frozen=True, kw_only=True):
    """A path that differs between a container and its image."""

    path: str
    kind: Literal["added", "changed", "deleted"]


class PruneRecord(Record, frozen=True, kw_only=True):
    """What a clean-up removed, and the bytes that the disk got back."""

    removed: tuple[str, ...] = ()
    freed: int = 0


class NetworkRecord(Record, frozen=True, kw_only=True):
    """A network that an engine holds."""

    id: str
    name: str
    driver: str
    subnet: str = ""
    gateway: str = ""
    internal: bool = False
    labels: dict[str, str] = {}
    subnet6: str = ""
    gateway6: str = ""
    ip_range: str = ""
    parent: str = ""
    options: dict[str, str] = {}


class VolumeRecord(Record, frozen=True, kw_only=True):
    """A named volume that an engine holds."""

    name: str
    driver: str = "local"
    mountpoint: str = ""
    labels: dict[str, str] = {}


class VolumeDetails(Record, frozen=True, kw_only=True):
    """All that is known of one volume; ``used_by`` are names of containers.

    Passwords in ``options`` are hidden.
    """

    volume: VolumeRecord
    options: dict[str, str] = {}
    anonymous: bool = False
    created_at: float = 0.0
    used_by: tuple[str, ...] = ()


class PrunedVolumes(Record, frozen=True, kw_only=True):
    """The volumes that were removed because nobody used them, and the bytes given back."""

    names: tuple[str, ...] = ()
    size: int = 0


class ProjectFile(Record, frozen=True, kw_only=True):
    """One plain file of a project; ``path`` is relative to the project's folder."""

    path: str
    content: str
    executable: bool = False


class AppliedProject(Record, frozen=True, kw_only=True):
    """What was last applied on the host, kept there so that a new panel can re-adopt it.

    Variables are kept on the host too, but do not travel in reports.
    """

    uid: str
    name: str
    revision: int
    files: tuple[ProjectFile, ...]
    applied_at: float
    applied_by: str
    operation_id: str


class EngineRecord(Record, frozen=True, kw_only=True):
    """An engine that the host offers."""

    name: str
    version: str
    capabilities: tuple[str, ...] = ()


class HostFacts(Record, frozen=True, kw_only=True):
    """What the host is and can do; reported by the agent, never asked for by shell."""

    hostname: str
    os: str
    kernel: str
    architecture: str
    cpus: int
    memory: int
    disk: int
    cgroups: Literal["v1", "v2", "hybrid", "none"]
    agent_version: str
    protocol_version: int
    booted_at: float
    addresses: tuple[str, ...] = ()
    engines: tuple[EngineRecord, ...] = ()
    warnings: tuple[str, ...] = ()


class LogLine(Record, frozen=True, kw_only=True):
    """One line that a container wrote.

    ``position`` is where the line *ends* in the container's whole output, counted in bytes
    of its log since it was created, across rotations and restarts; so it grows, is never
    0, and names the line for good. ``previous`` is the position of the line before it (0
    for the first): whoever sees ``previous`` differ from the last position it has, misses
    lines. ``partial`` marks a piece of a line that was too long for one record.
    """

    container_id: str
    position: int
    previous: int
    at: float
    stream: Literal["stdout", "stderr"]
    text: str
    partial: bool = False


class ExecRecord(Record, frozen=True, kw_only=True):
    """A program that was started in a container beside its first one.

    ``pid`` is the host's number of it, 0 before it is known and after the end. ``exit_code``
    is None while it runs, and for good if it ended while no agent was there.
    """

    id: str
    container_id: str
    command: tuple[str, ...]
    running: bool
    started_at: float
    user: str = ""
    tty: bool = False
    detached: bool = False
    pid: int = 0
    exit_code: int | None = None


class ProcessRecord(Record, frozen=True, kw_only=True):
    """A process of a container. ``pid`` and ``parent_pid`` are the container's own numbers.

    ``parent_pid`` is 0 when the parent is outside. ``user`` is a name of the container's
    /etc/passwd, or its number there. ``memory`` is what it holds in RAM (its resident set),
    ``cpu_time`` what it used since ``started_at``, ``cpu_percent`` of one core, since then too.
    """

    pid: int
    host_pid: int
    parent_pid: int
    user: str
    state: str
    threads: int
    memory: int
    cpu_time: float
    cpu_percent: float
    started_at: float
    terminal: str
    command: str


class PathRecord(Record, frozen=True, kw_only=True):
    """A file, folder or link of a container.

    ``mode`` is st_mode with its kind (inode(7)), ``name`` the last part of the path, "." where
    that says the content of a folder. ``uid`` and ``gid`` are the container's own numbers.
    """

    name: str
    kind: Literal["file", "folder", "link", "device", "fifo", "socket"]
    size: int
    mode: int
    uid: int
    gid: int
    modified_at: float
    link_target: str = ""
