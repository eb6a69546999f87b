"""What is kept on disk about a container."""

from functools import cache
from pathlib import Path

import msgspec

from agents.engines.native.containers.health_plan import HealthPlan
from agents.engines.native.containers.shortfalls import find_shortfalls
from agents.engines.specs import ContainerSpec
from agents.linux import process
from agents.protocol.records import (
    ContainerRecord,
    ContainerState,
    EndpointRecord,
    HealthState,
    PortRecord,
)

ENGINE = "native"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a container was made as; only its name ever changes.

    ``asked`` is the spec as it came, ``spec`` is with what was added: a hostname, and the
    volumes that the image wants. ``volumes`` gives the volume for the target of each
    volume mount; those of ``anonymous`` go with the container. ``id_base`` is where its ids
    begin on the host; 0 means that they are the host's own, for ``host_users_reason``.
    """

    id: str
    name: str
    image: str
    image_id: str
    created_at: float
    asked: ContainerSpec
    spec: ContainerSpec
    command: tuple[str, ...]
    stop_signal: str
    volumes: dict[str, str]
    anonymous: tuple[str, ...]
    id_base: int = 0
    host_users_reason: str = ""
    health: HealthPlan | None = None


class ProcessMark(msgspec.Struct, frozen=True, kw_only=True):
    """Names a process for good, as process numbers are used again."""

    pid: int
    start_time: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> "ProcessMark | None":
        """Return the mark of a process, None when it is not there (any more)."""
        started = process.start_time(pid)
        if started is None:
            return None
        return cls(pid=pid, start_time=started, boot_id=boot_id())

    def is_current(self) -> bool:
        """Return whether the number still means this process, be it a zombie."""
        return self.boot_id == boot_id() and process.start_time(self.pid) == self.start_time


@cache
def boot_id() -> str:
    """Return what names the time since this machine was started; see random(4)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a container is. ``stop_requested`` is true once a person stopped it.

    ``monitor`` is its conmon, ``init`` its first process; both None unless it runs.
    ``restart_at`` is set while it waits for its policy to start it again.
    """

    state: ContainerState = "created"
    sequence: int = 0
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    restart_count: int = 0
    restart_at: float | None = None
    health: HealthState = ""
    stop_requested: bool = False
    monitor: ProcessMark | None = None
    init: ProcessMark | None = None
    ports: tuple[PortRecord, ...] = ()
    endpoints: tuple[EndpointRecord, ...] = ()


def to_record(manifest: Manifest, status: Status) -> ContainerRecord:
    """Return the container as the world sees it."""
    return ContainerRecord(
        id=manifest.id,
        name=manifest.name,
        image=manifest.image,
        image_id=manifest.image_id,
        engine=ENGINE,
        state=status.state,
        sequence=status.sequence,
        exit_code=status.exit_code,
        oom_killed=status.oom_killed,
        stopped=status.stop_requested and status.state in ("exited", "dead"),
        error=status.error,
        created_at=manifest.created_at,
        started_at=status.started_at,
        finished_at=status.finished_at,
        restart_count=status.restart_count,
        restart_at=status.restart_at,
        health=status.health,
        command=manifest.command,
        labels=dict(manifest.spec.labels),
        ports=status.ports,
        endpoints=status.endpoints,
        user_namespace="private" if manifest.id_base else "host",
        user_namespace_reason=manifest.host_users_reason,
        warnings=tuple(find_shortfalls(manifest.spec, status.ports)) if status.init else (),
        spec_json=manifest.spec.spec_json,
    )
