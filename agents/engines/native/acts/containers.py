"""Containers: made, started, ended, removed, found."""

from collections.abc import Collection, Iterable, Mapping

from agents.engines.base import Engine, WaitFor
from agents.engines.native.containers import waiting
from agents.engines.native.parts import Parts
from agents.engines.specs import ContainerSpec, PortSpec
from agents.protocol.records import ContainerRecord


class ContainerActs(Engine):
    """The engine's part for containers."""

    _parts: Parts

    def create_container(self, spec: ContainerSpec) -> ContainerRecord:
        """See :meth:`Engine.create_container`."""
        with self._parts.images.using(spec.image):
            container, made = self._parts.creator.create(spec)
        if made:
            self._parts.events.container(container.record, "create")
        return container.record

    def check_ports(self, ports: Iterable[PortSpec], without: Collection[str] = ()) -> None:
        """See :meth:`Engine.check_ports`."""
        self._parts.networks.check_ports(ports, without)

    def start_container(self, container_id: str) -> ContainerRecord:
        """See :meth:`Engine.start_container`."""
        container = self._parts.containers.find(container_id)
        self._parts.lifecycle.start(container)
        return container.record

    def stop_container(self, container_id: str, grace: float | None = None) -> ContainerRecord:
        """See :meth:`Engine.stop_container`."""
        container = self._parts.containers.find(container_id)
        self._parts.lifecycle.stop(container, grace)
        return container.record

    def kill_container(self, container_id: str, signal: str = "SIGKILL") -> ContainerRecord:
        """See :meth:`Engine.kill_container`."""
        container = self._parts.containers.find(container_id)
        self._parts.lifecycle.kill(container, signal)
        return container.record

    def restart_container(self, container_id: str, grace: float | None = None) -> ContainerRecord:
        """See :meth:`Engine.restart_container`."""
        container = self._parts.containers.find(container_id)
        self._parts.lifecycle.restart(container, grace)
        return container.record

    def remove_container(self, container_id: str, *, force: bool = False) -> None:
        """See :meth:`Engine.remove_container`."""
        container = self._parts.containers.find_or_none(container_id)
        if container is not None:
            self._parts.removal.remove(container, force=force)
            self._parts.wake_readers(container)

    def rename_container(self, container_id: str, name: str) -> ContainerRecord:
        """See :meth:`Engine.rename_container`."""
        container = self._parts.containers.find(container_id)
        before = container.manifest.name
        self._parts.containers.rename(container, name)
        self._parts.networks.rename(container.id, name)
        self._parts.events.container(container.record, "rename", before=before)
        return container.record

    def find_container(self, name_or_id: str) -> ContainerRecord:
        """See :meth:`Engine.find_container`."""
        return self._parts.containers.find(name_or_id).record

    def list_containers(
        self, labels: Mapping[str, str] | None = None
    ) -> tuple[ContainerRecord, ...]:
        """See :meth:`Engine.list_containers`."""
        return tuple(one.record for one in self._parts.containers.list(labels))

    def wait_container(
        self, container_id: str, timeout: float | None = None, until: WaitFor = "not-running"
    ) -> int:
        """See :meth:`Engine.wait_container`."""
        return waiting.wait(self._parts.containers.find(container_id), until, timeout)
