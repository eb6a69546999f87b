"""The native engine: one façade over images, volumes, networks and containers."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from agents.engines.base import Cancelled, Engine, Listener, Output, never
from agents.engines.native.build.builder import Builder
from agents.engines.native.containers.container import ENDED, Container
from agents.engines.native.containers.creation import Creator
from agents.engines.native.containers.launcher import Launcher
from agents.engines.native.containers.lifecycle import Lifecycle
from agents.engines.native.containers.log_follower import LogFollower, segment_of
from agents.engines.native.containers.log_watch import LogWatch
from agents.engines.native.containers.logs import LogRange, read_lines
from agents.engines.native.containers.records import ENGINE
from agents.engines.native.containers.recovery import Recovery
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.containers.supervisor import Supervisor
from agents.engines.native.images.store import ImageStore
from agents.engines.native.network import Networks
from agents.engines.native.volumes import VolumeStore
from agents.engines.notifier import Notifier
from agents.engines.specs import BuildSpec, ContainerSpec, NetworkSpec, PortSpec, VolumeSpec
from agents.errors import AgentError, ConflictError
from agents.linux.failures import kernel_errors
from agents.protocol.records import (
    ContainerRecord,
    EngineRecord,
    ImageRecord,
    LogLine,
    NetworkRecord,
    VolumeRecord,
)

VERSION = "1"
CAPABILITIES = ("builds", "limits", "logs", "networks", "published_ports")


class NativeEngine(Engine):
    """Runs containers by itself, with crun and conmon.

    ``root`` keeps everything for good, ``run`` what a reboot may empty, ``uid`` tells this
    agent's cgroups from those of others on the machine. One engine at a time may use them.
    """

    name: ClassVar[str] = ENGINE

    def __init__(self, root: Path, run: Path, uid: str) -> None:
        with kernel_errors("make the engine's folders", root):
            for folder in (root, run):
                folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._images = ImageStore(root)
        self._builder = Builder(self._images)
        self._volumes = VolumeStore(root)
        self._networks = Networks(root, run)
        self._notifier = Notifier()
        self._supervisor = Supervisor()
        self._log_watch = LogWatch()
        self._log_follower = LogFollower(self._log_watch)
        self._containers = ContainerStore(root, run, self._notifier.publish)
        launcher = Launcher(
            run=run,
            uid=uid,
            images=self._images,
            volumes=self._volumes,
            networks=self._networks,
        )
        self._lifecycle = Lifecycle(launcher, self._supervisor, self._wake_readers)
        self._creator = Creator(
            containers=self._containers,
            images=self._images,
            volumes=self._volumes,
            networks=self._networks,
        )
        self._recovery = Recovery(root, self._containers, launcher, self._lifecycle)

    # life of the engine itself

    def start(self) -> None:
        """See :meth:`Engine.start`."""
        self._images.repair()
        self._volumes.repair()
        self._containers.load()
        self._networks.adopt(frozenset(one.id for one in self._containers.list()))
        self._notifier.start()
        self._supervisor.start()
        self._log_watch.start()
        self._recovery.run()

    def close(self) -> None:
        """See :meth:`Engine.close`."""
        self._supervisor.close()
        self._log_watch.close()
        self._notifier.close()

    def describe(self) -> EngineRecord:
        """See :meth:`Engine.describe`."""
        return EngineRecord(name=self.name, version=VERSION, capabilities=CAPABILITIES)

    def warnings(self) -> tuple[str, ...]:
        """See :meth:`Engine.warnings`: other firewalls that drop what our networks forward."""
        try:
            return self._networks.warnings()
        except AgentError as error:
            # A firewall that cannot be read must not keep the host from reporting the rest.
            return (f"The host's firewall cannot be read: {error.message}",)

    def subscribe(self, listener: Listener) -> None:
        """See :meth:`Engine.subscribe`."""
        self._notifier.subscribe(listener)

    # images

    def list_images(self) -> tuple[ImageRecord, ...]:
        """See :meth:`Engine.list_images`."""
        return self._images.list()

    def find_image(self, reference: str) -> ImageRecord:
        """See :meth:`Engine.find_image`."""
        return self._images.find(reference).record()

    def import_image(self, archive: Path, reference: str = "") -> ImageRecord:
        """See :meth:`Engine.import_image`."""
        return self._images.import_archive(archive, reference).record()

    def remove_image(self, reference: str) -> None:
        """See :meth:`Engine.remove_image`."""
        self._images.remove(reference, self._creator.images_in_use())

    def build_image(
        self, spec: BuildSpec, output: Output, cancelled: Cancelled = never
    ) -> ImageRecord:
        """See :meth:`agents.engines.base.Builds.build_image`."""
        return self._builder.build(spec, output, cancelled).record()

    # containers

    def create_container(self, spec: ContainerSpec) -> ContainerRecord:
        """See :meth:`Engine.create_container`."""
        return self._creator.create(spec).record

    def check_ports(self, ports: Iterable[PortSpec], without: Collection[str] = ()) -> None:
        """See :meth:`Engine.check_ports`."""
        self._networks.check_ports(ports, without)

    def start_container(self, container_id: str) -> ContainerRecord:
        """See :meth:`Engine.start_container`."""
        container = self._find(container_id)
        self._lifecycle.start(container)
        return container.record

    def stop_container(self, container_id: str, grace: float | None = None) -> ContainerRecord:
        """See :meth:`Engine.stop_container`."""
        container = self._find(container_id)
        self._lifecycle.stop(container, grace)
        return container.record

    def kill_container(self, container_id: str, signal: str = "SIGKILL") -> ContainerRecord:
        """See :meth:`Engine.kill_container`."""
        container = self._find(container_id)
        self._lifecycle.kill(container, signal)
        return container.record

    def remove_container(self, container_id: str, *, force: bool = False) -> None:
        """See :meth:`Engine.remove_container`."""
        container = self._containers.find_or_none(container_id)
        if container is None:
            return
        self._lifecycle.make_removable(container, force=force)
        with container.lock:
            if container.removed:
                return
            self._lifecycle.release(container)
            self._creator.remove(container)
        self._wake_readers(container)

    def rename_container(self, container_id: str, name: str) -> ContainerRecord:
        """See :meth:`Engine.rename_container`."""
        container = self._find(container_id)
        self._containers.rename(container, name)
        self._networks.rename(container.id, name)
        return container.record

    def find_container(self, name_or_id: str) -> ContainerRecord:
        """See :meth:`Engine.find_container`."""
        return self._find(name_or_id).record

    def list_containers(
        self, labels: Mapping[str, str] | None = None
    ) -> tuple[ContainerRecord, ...]:
        """See :meth:`Engine.list_containers`."""
        return tuple(one.record for one in self._containers.list(labels))

    def wait_container(self, container_id: str, timeout: float | None = None) -> int:
        """See :meth:`Engine.wait_container`."""
        container = self._find(container_id)
        status = container.wait_until(lambda one: one.state in ENDED, timeout)
        return status.exit_code or 0

    # networks and volumes

    def create_network(self, spec: NetworkSpec) -> NetworkRecord:
        """See :meth:`Engine.create_network`."""
        return self._networks.create(spec)

    def remove_network(self, name: str) -> None:
        """See :meth:`Engine.remove_network`."""
        users = [one.manifest.name for one in self._containers.list() if _is_on(one, name)]
        if users:
            raise ConflictError(f"the network {name} is used by {', '.join(sorted(users))}")
        self._networks.remove(name)

    def list_networks(self, labels: Mapping[str, str] | None = None) -> tuple[NetworkRecord, ...]:
        """See :meth:`Engine.list_networks`."""
        return self._networks.list(labels)

    def create_volume(self, spec: VolumeSpec) -> VolumeRecord:
        """See :meth:`Engine.create_volume`."""
        return self._volumes.create(spec)

    def remove_volume(self, name: str) -> None:
        """See :meth:`Engine.remove_volume`."""
        users = self._creator.users_of_volume(name)
        if users:
            raise ConflictError(f"the volume {name} is used by {', '.join(sorted(users))}")
        self._volumes.remove(name)

    def list_volumes(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """See :meth:`Engine.list_volumes`."""
        return self._volumes.list(labels)

    # logs

    def read_logs(
        self,
        container_id: str,
        *,
        after: int = 0,
        before: int = 0,
        limit: int = 500,
        newest: bool = False,
    ) -> tuple[LogLine, ...]:
        """See :meth:`Engine.read_logs`."""
        container = self._find(container_id)
        wanted = LogRange(after=after, before=before, limit=limit, newest=newest)
        return read_lines(container.id, segment_of(container), wanted)

    def wait_logs(self, container_id: str, *, after: int, timeout: float) -> bool:
        """See :meth:`Engine.wait_logs`."""
        return self._log_follower.wait(self._find(container_id), after, timeout)

    def _find(self, container_id: str) -> Container:
        return self._containers.find(container_id)

    def _wake_readers(self, container: Container) -> None:
        self._log_watch.wake(container.paths.log)


def _is_on(container: Container, network: str) -> bool:
    return any(one.network == network for one in container.manifest.spec.endpoints)
