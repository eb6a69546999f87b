"""Networks: made, listed, removed; containers put on them and taken off."""

from collections.abc import Mapping
from contextlib import suppress

from agents.engines.base import Engine
from agents.engines.native.build.network import LABEL
from agents.engines.native.containers import plugging
from agents.engines.native.containers.container import Container
from agents.engines.native.parts import Parts
from agents.engines.specs import EndpointSpec, NetworkSpec
from agents.errors import ConflictError
from agents.protocol.records import ContainerRecord, NetworkRecord


class NetworkActs(Engine):
    """The engine's part for networks."""

    _parts: Parts

    def create_network(self, spec: NetworkSpec) -> NetworkRecord:
        """See :meth:`Engine.create_network`."""
        known = {one.name for one in self._parts.networks.list()}
        record = self._parts.networks.create(spec)
        if record.name not in known:
            self._parts.events.emit(
                "network", "create", record.id, name=record.name, labels=record.labels
            )
        return record

    def remove_network(self, name: str) -> None:
        """See :meth:`Engine.remove_network`."""
        users = [one.manifest.name for one in self._parts.containers.list() if _is_on(one, name)]
        if users:
            raise ConflictError(f"the network {name} is used by {', '.join(sorted(users))}")
        known = [one for one in self._parts.networks.list() if one.name == name]
        self._parts.networks.remove(name)
        for one in known:
            self._parts.events.emit("network", "destroy", one.id, name=one.name, labels=one.labels)

    def list_networks(self, labels: Mapping[str, str] | None = None) -> tuple[NetworkRecord, ...]:
        """See :meth:`Engine.list_networks`."""
        found = self._parts.networks.list(labels)
        # Those of builds come and go with them, and are nobody's to act on.
        return tuple(one for one in found if LABEL not in one.labels)

    def find_network(self, name_or_id: str) -> NetworkRecord:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.find_network`."""
        return self._parts.networks.find(name_or_id)

    def prune_networks(self) -> tuple[str, ...]:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.prune_networks`."""
        removed = []
        for network in self.list_networks():
            # One that somebody takes into use meanwhile stays.
            with suppress(ConflictError):
                self.remove_network(network.name)
                removed.append(network.name)
        return tuple(removed)

    def connect_network(self, container_id: str, endpoint: EndpointSpec) -> ContainerRecord:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.connect_network`."""
        container = self._parts.containers.find(container_id)
        plugging.plug_in(container, endpoint, self._parts.networks)
        self._tell_place(container, "connect", endpoint.network)
        return container.record

    def disconnect_network(self, container_id: str, network: str) -> ContainerRecord:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.disconnect_network`."""
        container = self._parts.containers.find(container_id)
        plugging.unplug(container, network, self._parts.networks)
        self._tell_place(container, "disconnect", network)
        return container.record

    def _tell_place(self, container: Container, action: str, network: str) -> None:
        record = self._parts.networks.find(network)
        self._parts.events.emit(
            "network",
            action,
            record.id,
            name=record.name,
            labels=record.labels,
            container=container.id,
        )


def _is_on(container: Container, network: str) -> bool:
    return any(one.network == network for one in container.manifest.spec.endpoints)
