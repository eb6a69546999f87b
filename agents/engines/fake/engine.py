"""The fake engine: the whole interface, in memory."""

import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from agents.engines.base import Cancelled, Listener, Output, WaitFor, never
from agents.engines.fake.containers import Containers, FakeContainer, new_id
from agents.engines.fake.images import Images, follow
from agents.engines.fake.keeping import ImageKeeping
from agents.engines.fake.plugging import FakePlugging
from agents.engines.fake.registries import FakeRegistries
from agents.engines.fake.resources import Networks, publish
from agents.engines.fake.volumes import Volumes
from agents.engines.notifier import Notifier
from agents.engines.signals import signal_number
from agents.engines.specs import BuildSpec, ContainerSpec, NetworkSpec, PortSpec, VolumeSpec
from agents.errors import ConflictError, InvalidInputError, NotFoundError, TimedOutError
from agents.protocol.records import (
    ContainerRecord,
    EndpointRecord,
    EngineRecord,
    ImageRecord,
    LogLine,
    NetworkRecord,
    PrunedVolumes,
    VolumeDetails,
    VolumeRecord,
)

CAPABILITIES = ("builds", "logs", "networks", "registries")


class FakeEngine(ImageKeeping, FakeRegistries, FakePlugging):
    """An engine whose containers are threads; ``images`` are there from the start."""

    name: ClassVar[str] = "fake"

    def __init__(self, images: tuple[str, ...] = ("busybox",)) -> None:
        self._notifier = Notifier()
        self._containers = Containers(self._notifier.publish)
        self._lock = self._containers.lock
        self._images = Images()
        self.remote = {}
        self._logins = {}
        self._networks = Networks()
        self._volumes = Volumes()
        self._started = 0
        for one in images:
            self._images.add(one.encode(), (one,))

    # life of the engine itself

    def start(self) -> None:
        """See :meth:`Engine.start`."""
        self._notifier.start()

    def close(self) -> None:
        """See :meth:`Engine.close`."""
        self._notifier.close()

    def describe(self) -> EngineRecord:
        """See :meth:`Engine.describe`."""
        return EngineRecord(name=self.name, version="1", capabilities=CAPABILITIES)

    def subscribe(self, listener: Listener) -> None:
        """See :meth:`Engine.subscribe`."""
        self._notifier.subscribe(listener)

    # images

    def list_images(self) -> tuple[ImageRecord, ...]:
        """See :meth:`Engine.list_images`."""
        with self._lock:
            return self._images.list()

    def find_image(self, reference: str) -> ImageRecord:
        """See :meth:`Engine.find_image`."""
        with self._lock:
            return self._images.find(reference).record

    def import_image(self, archive: Path, reference: str = "") -> ImageRecord:
        """See :meth:`Engine.import_image`."""
        if not archive.is_file():
            raise NotFoundError(f"there is no archive {archive}", file=str(archive))
        with self._lock:
            names = (reference,) if reference else ()
            return self._images.add(archive.read_bytes(), names)

    def remove_image(self, reference: str) -> None:
        """See :meth:`Engine.remove_image`."""
        with self._lock:
            record = self._images.find(reference).record
            in_use = any(one.record.image_id == record.id for one in self._containers.list())
            if in_use and (reference == record.id or len(record.references) < 2):
                raise ConflictError(f"a container uses the image {reference}")
            self._images.remove_name(reference)

    def build_image(
        self, spec: BuildSpec, output: Output, cancelled: Cancelled = never
    ) -> ImageRecord:
        """See :meth:`agents.engines.base.Builds.build_image`."""
        command = follow(spec, output, cancelled)
        content = repr((command, spec.references)).encode()
        with self._lock:
            return self._images.add(content, spec.references, command)

    # containers

    def create_container(self, spec: ContainerSpec) -> ContainerRecord:
        """See :meth:`Engine.create_container`."""
        with self._lock:
            known = self._containers.same(spec)
            if known is not None:
                return known.record
            self._check(spec)
            container = self._containers.add(spec, self._new_record(spec))
            container.anonymous = tuple(self._make_volumes(spec))
            return container.record

    def _check(self, spec: ContainerSpec) -> None:
        if spec.auto_remove and spec.restart.name != "no":
            raise InvalidInputError("a policy and auto_remove exclude one another", field="restart")
        self._images.find(spec.image)
        for endpoint in spec.endpoints:
            self._networks.find(endpoint.network)
        for mount in spec.mounts:
            if mount.kind == "bind" and not Path(mount.source).exists():
                raise NotFoundError(f"the path {mount.source} is not on this host", field="volumes")

    def _new_record(self, spec: ContainerSpec) -> ContainerRecord:
        image = self._images.find(spec.image)
        default = image.command if spec.entrypoint is None else ()
        arguments = default if spec.command is None else spec.command
        return ContainerRecord(
            id=new_id(),
            name=spec.name,
            image=spec.image,
            image_id=image.record.id,
            engine=self.name,
            state="created",
            sequence=0,
            created_at=time.time(),
            command=(*(spec.entrypoint or ()), *arguments),
            labels=dict(spec.labels),
            spec_json=spec.spec_json,
        )

    def _make_volumes(self, spec: ContainerSpec) -> list[str]:
        """Make the volumes of a spec, and return the names of those without one."""
        anonymous = []
        for mount in spec.mounts:
            if mount.kind == "volume":
                name = mount.source or new_id()
                self._volumes.create(VolumeSpec(name=name))
                anonymous += [] if mount.source else [name]
        return anonymous

    def check_ports(self, ports: Iterable[PortSpec], without: Collection[str] = ()) -> None:
        """See :meth:`Engine.check_ports`."""
        with self._lock:
            others = [one.record for one in self._containers.list() if one.record.id not in without]
            publish(ports, [port for one in others for port in one.ports])

    def start_container(self, container_id: str) -> ContainerRecord:
        """See :meth:`Engine.start_container`."""
        with self._lock:
            container = self._containers.find(container_id)
            if not container.is_alive:
                self._started += 1
                others = [port for one in self._containers.list() for port in one.record.ports]
                ports = container.record.ports or publish(container.spec.ports, others)
                self._containers.start(container, ports, self._endpoints(container.spec))
            return container.record

    def _endpoints(self, spec: ContainerSpec) -> tuple[EndpointRecord, ...]:
        return tuple(
            self._networks.endpoint(one.network, self._started, one.aliases)
            for one in spec.endpoints
        )

    def stop_container(self, container_id: str, grace: float | None = None) -> ContainerRecord:
        """See :meth:`Engine.stop_container`."""
        container = self._find(container_id)
        self._containers.stop(container, container.spec.stop_grace if grace is None else grace)
        return container.record

    def restart_container(self, container_id: str, grace: float | None = None) -> ContainerRecord:
        """See :meth:`Engine.restart_container`."""
        container = self._find(container_id)
        container.turning = True
        try:
            self.stop_container(container_id, grace)
        finally:
            container.turning = False
        return self.start_container(container_id)

    def kill_container(self, container_id: str, signal: str = "SIGKILL") -> ContainerRecord:
        """See :meth:`Engine.kill_container`."""
        with self._lock:
            container = self._containers.find(container_id)
            self._containers.kill(container, signal_number(signal))
            return container.record

    def remove_container(self, container_id: str, *, force: bool = False) -> None:
        """See :meth:`Engine.remove_container`."""
        with self._lock:
            container = self._containers.find_or_none(container_id)
            if container is None:
                return
            if container.is_alive or container.record.state == "restarting":
                if not force:
                    raise ConflictError(f"the container {container.record.name} runs")
                self._containers.stop(container, 0.0)
            self._containers.remove(container)
            for name in container.anonymous:
                self._volumes.remove(name)

    def rename_container(self, container_id: str, name: str) -> ContainerRecord:
        """See :meth:`Engine.rename_container`."""
        with self._lock:
            container = self._containers.find(container_id)
            self._containers.rename(container, name)
            return container.record

    def find_container(self, name_or_id: str) -> ContainerRecord:
        """See :meth:`Engine.find_container`."""
        return self._find(name_or_id).record

    def list_containers(
        self, labels: Mapping[str, str] | None = None
    ) -> tuple[ContainerRecord, ...]:
        """See :meth:`Engine.list_containers`."""
        with self._lock:
            return tuple(one.record for one in self._containers.list(labels))

    def wait_container(
        self, container_id: str, timeout: float | None = None, until: WaitFor = "not-running"
    ) -> int:
        """See :meth:`Engine.wait_container`."""
        container = self._find(container_id)
        ends = container.ends

        def is_reached() -> bool:
            if until == "next-exit":
                return container.ends > ends
            ended = until == "not-running" and container.record.state == "exited"
            return ended or container.removed

        self._containers.wait(container, is_reached, timeout)
        return container.last_code

    # networks and volumes

    def create_network(self, spec: NetworkSpec) -> NetworkRecord:
        """See :meth:`Engine.create_network`."""
        with self._lock:
            return self._networks.create(spec)

    def remove_network(self, name: str) -> None:
        """See :meth:`Engine.remove_network`."""
        with self._lock:
            for one in self._containers.list():
                if any(endpoint.network == name for endpoint in one.spec.endpoints):
                    raise ConflictError(f"the network {name} is used by {one.record.name}")
            self._networks.remove(name)

    def list_networks(self, labels: Mapping[str, str] | None = None) -> tuple[NetworkRecord, ...]:
        """See :meth:`Engine.list_networks`."""
        with self._lock:
            return self._networks.list(labels)

    def create_volume(self, spec: VolumeSpec) -> VolumeRecord:
        """See :meth:`Engine.create_volume`."""
        with self._lock:
            return self._volumes.create(spec)

    def remove_volume(self, name: str) -> None:
        """See :meth:`Engine.remove_volume`."""
        with self._lock:
            users = self._users_of_volume(name)
            if users:
                raise ConflictError(f"the volume {name} is used by {users[0]}")
            self._volumes.remove(name)

    def _users_of_volume(self, name: str) -> list[str]:
        return [
            one.record.name
            for one in self._containers.list()
            if name in one.anonymous
            or any(mount.kind == "volume" and mount.source == name for mount in one.spec.mounts)
        ]

    def inspect_volume(self, name: str) -> VolumeDetails:
        """See :meth:`agents.engines.abilities.volumes.ManagesVolumes.inspect_volume`."""
        with self._lock:
            return self._volumes.inspect(name, self._users_of_volume(name))

    def prune_volumes(
        self, *, include_named: bool = False, labels: Mapping[str, str] | None = None
    ) -> PrunedVolumes:
        """See :meth:`agents.engines.abilities.volumes.ManagesVolumes.prune_volumes`."""
        with self._lock:
            return self._volumes.prune(self._users_of_volume, labels, include_named=include_named)

    def volume_sizes(self) -> dict[str, int]:
        """See :meth:`agents.engines.abilities.volumes.ManagesVolumes.volume_sizes`."""
        with self._lock:
            return {one.name: 0 for one in self._volumes.list(None)}

    def list_volumes(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """See :meth:`Engine.list_volumes`."""
        with self._lock:
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
        with self._lock:
            log = self._containers.find(container_id).log
            return log.read(after=after, before=before, limit=limit, newest=newest)

    def wait_logs(self, container_id: str, *, after: int, timeout: float) -> bool:
        """See :meth:`Engine.wait_logs`."""
        container = self._find(container_id)

        def is_settled() -> bool:
            return container.log.end > after or container.record.state == "exited"

        try:
            self._containers.wait(container, is_settled, timeout)
        except (TimedOutError, NotFoundError):
            return False
        return container.log.end > after

    def _find(self, container_id: str) -> FakeContainer:
        with self._lock:
            return self._containers.find(container_id)
