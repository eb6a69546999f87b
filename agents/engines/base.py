"""The seam between the agent and whatever runs containers: an abstract :class:`Engine`,
and optional protocols for what not every engine has.

All methods block, may be called from several threads at once, and raise only
:class:`agents.errors.AgentError`. Making what is there already with the same spec returns
it; making it with another spec raises ``ConflictError``; removing what is not there
succeeds (except where a method says otherwise). A method that fails leaves nothing half
made.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

from agents.engines.specs import BuildSpec, ContainerSpec, NetworkSpec, PortSpec, VolumeSpec
from agents.protocol.records import (
    ContainerRecord,
    EngineRecord,
    ImageRecord,
    LogLine,
    NetworkRecord,
    VolumeRecord,
)

Capability = Literal[
    "builds",
    "exec",
    "kernel",
    "limits",
    "logs",
    "networks",
    "pause",
    "published_ports",
    "registries",
    "stats",
    "update",
]


@dataclass(frozen=True, kw_only=True)
class ContainerEvent:
    """Something happened to a container; ``container`` is None when it is gone."""

    container_id: str
    sequence: int
    container: ContainerRecord | None


# Docker's conditions: not running now, the next end, and its removal.
WaitFor = Literal["not-running", "next-exit", "removed"]

Listener = Callable[[ContainerEvent], None]
Output = Callable[[str], None]
Cancelled = Callable[[], bool]


def never() -> bool:
    """Answer the question "was this cancelled?" for acts that nobody can cancel."""
    return False


class Engine(ABC):
    """Runs containers on this host."""

    name: ClassVar[str]

    # life of the engine itself

    @abstractmethod
    def start(self) -> None:
        """Take up the state on disk and adopt what still runs; call once, before all else.

        Containers whose processes live go on untouched; those that ended meanwhile get
        their exit codes, and their restart policies are followed from here on.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop the engine's own threads; containers go on. Idempotent."""

    @abstractmethod
    def describe(self) -> EngineRecord:
        """Return name, version and capabilities."""

    def warnings(self) -> tuple[str, ...]:
        """Return what about this host keeps containers from working as asked, in sentences."""
        return ()

    @abstractmethod
    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` after each change of a container, from the engine's threads.

        Changes of one container arrive in order of ``sequence``.
        """

    # images

    @abstractmethod
    def list_images(self) -> tuple[ImageRecord, ...]:
        """Return all images, newest first."""

    @abstractmethod
    def find_image(self, reference: str) -> ImageRecord:
        """Return the image named by reference or id. Raises ``NotFoundError``."""

    @abstractmethod
    def import_image(self, archive: Path, reference: str = "") -> ImageRecord:
        """Take in an OCI archive, a docker archive, or a tar of a root file system.

        ``reference`` names the image; needed for a root file system. gzip is seen by itself.
        """

    @abstractmethod
    def remove_image(self, reference: str) -> None:
        """Remove one name of an image, and the image with its last name.

        Raises ``NotFoundError``; ``ConflictError`` while a container uses it.
        """

    # containers

    @abstractmethod
    def create_container(self, spec: ContainerSpec) -> ContainerRecord:
        """Create a container, not started. Raises ``ConflictError`` if the name is taken,
        ``NotFoundError`` for a missing image, network or bind source.
        """

    @abstractmethod
    def check_ports(self, ports: Iterable[PortSpec], without: Collection[str] = ()) -> None:
        """Raise ``ConflictError`` for a port that a program or a container holds.

        Containers whose ids are in ``without`` do not count. Takes nothing: the port may be
        gone again by the time that :meth:`start_container` wants it.
        """

    @abstractmethod
    def start_container(self, container_id: str) -> ContainerRecord:
        """Start it; a running one is left alone. Returns once its first process runs.

        Raises ``ConflictError`` if a published port is taken, ``InvalidInputError`` if the
        command is not in the image; the container is then as it was before.
        """

    @abstractmethod
    def stop_container(self, container_id: str, grace: float | None = None) -> ContainerRecord:
        """Send the stop signal, and SIGKILL after ``grace`` seconds (default: the spec's).

        Returns when it has ended. Its restart policy does not start it again.
        """

    @abstractmethod
    def kill_container(self, container_id: str, signal: str = "SIGKILL") -> ContainerRecord:
        """Send one signal to the first process.

        SIGKILL counts as a stop: the restart policy does not start it again. Raises
        ``ConflictError`` if it does not run.
        """

    @abstractmethod
    def restart_container(self, container_id: str, grace: float | None = None) -> ContainerRecord:
        """Stop it as :meth:`stop_container` does and start it again, as one act.

        It keeps its addresses and ports if it can. One that does not run is started. What
        :meth:`start_container` raises leaves it ended.
        """

    @abstractmethod
    def remove_container(self, container_id: str, *, force: bool = False) -> None:
        """Remove a container with its log and anonymous volumes; ``force`` kills it first.

        Raises ``ConflictError`` if it runs and ``force`` is false. One that cannot be removed
        is "dead", says why, and can be removed again.
        """

    @abstractmethod
    def rename_container(self, container_id: str, name: str) -> ContainerRecord:
        """Give a container another name. Raises ``ConflictError`` if it is taken."""

    @abstractmethod
    def find_container(self, name_or_id: str) -> ContainerRecord:
        """Return one container by name, id or unique id prefix. Raises ``NotFoundError``."""

    @abstractmethod
    def list_containers(
        self, labels: Mapping[str, str] | None = None
    ) -> tuple[ContainerRecord, ...]:
        """Return all containers, running or not, that bear all of ``labels``."""

    @abstractmethod
    def wait_container(
        self, container_id: str, timeout: float | None = None, until: WaitFor = "not-running"
    ) -> int:
        """Block until it has ended and return its exit code (128 + n for signal n).

        "not-running" is reached at once by one that has ended and will not start by itself, and
        by one that was never started once it has been and ended; "next-exit" at its next end,
        restarted or not; "removed" when it is gone.
        Raises ``TimedOutError``, and ``NotFoundError`` when it is removed meanwhile.
        """

    # networks and volumes

    @abstractmethod
    def create_network(self, spec: NetworkSpec) -> NetworkRecord:
        """Create a network. Raises ``ConflictError`` for a subnet in use."""

    @abstractmethod
    def remove_network(self, name: str) -> None:
        """Remove a network. Raises ``ConflictError`` while containers are on it."""

    @abstractmethod
    def list_networks(self, labels: Mapping[str, str] | None = None) -> tuple[NetworkRecord, ...]:
        """Return the networks that bear all of ``labels``."""

    @abstractmethod
    def create_volume(self, spec: VolumeSpec) -> VolumeRecord:
        """Create a volume; an existing one is kept with what it holds."""

    @abstractmethod
    def remove_volume(self, name: str) -> None:
        """Remove a volume with what it holds. Raises ``ConflictError`` while it is used."""

    @abstractmethod
    def list_volumes(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """Return the volumes that bear all of ``labels``."""

    # logs

    @abstractmethod
    def read_logs(
        self,
        container_id: str,
        *,
        after: int = 0,
        before: int = 0,
        limit: int = 500,
        newest: bool = False,
    ) -> tuple[LogLine, ...]:
        """Return at most ``limit`` lines with ``after < position`` (and ``< before`` unless 0).

        ``newest`` picks the last ones, otherwise the first ones; sorted by position.
        """

    @abstractmethod
    def wait_logs(self, container_id: str, *, after: int, timeout: float) -> bool:
        """Block until there is a line past ``after``, or ``timeout`` seconds have passed.

        Returns whether there is one. Returns at once for a container that has ended.
        """


@runtime_checkable
class Builds(Protocol):
    """An engine that builds images from Dockerfiles."""

    def build_image(
        self, spec: BuildSpec, output: Output, cancelled: Cancelled = never
    ) -> ImageRecord:
        """Build and return the image; each line of output goes to ``output``.

        Raises ``BuildError`` with the Dockerfile's line, ``CancelledError``.
        """
        ...
