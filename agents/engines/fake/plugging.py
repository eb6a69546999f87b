"""Containers of the fake engine that join and leave networks."""

import threading
from contextlib import suppress
from dataclasses import replace

from agents.engines.base import Engine
from agents.engines.fake.containers import Containers, FakeContainer
from agents.engines.fake.resources import Networks
from agents.engines.specs import EndpointSpec
from agents.errors import ConflictError
from agents.protocol.records import ContainerRecord, NetworkRecord


class FakePlugging(Engine):
    """See :class:`agents.engines.abilities.networks.ConnectsNetworks`."""

    _lock: threading.RLock
    _containers: Containers
    _networks: Networks
    _started: int

    def connect_network(self, container_id: str, endpoint: EndpointSpec) -> ContainerRecord:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.connect_network`."""
        with self._lock:
            container = self._containers.find(container_id)
            name = self._networks.find(endpoint.network).name
            if container.spec.network_mode != "bridge":
                mode = container.spec.network_mode
                raise ConflictError(f"the network mode is {mode}", field="network_mode")
            known = [one for one in container.spec.endpoints if one.network == name]
            if known and known != [endpoint]:
                raise ConflictError(f"it is on the network {name} already", field="networks")
            if not known:
                self._put(container, (*container.spec.endpoints, endpoint))
            return container.record

    def disconnect_network(self, container_id: str, network: str) -> ContainerRecord:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.disconnect_network`."""
        with self._lock:
            container = self._containers.find(container_id)
            name = self._networks.find(network).name
            self._put(container, tuple(o for o in container.spec.endpoints if o.network != name))
            return container.record

    def _put(self, container: FakeContainer, endpoints: tuple[EndpointSpec, ...]) -> None:
        container.spec = replace(container.spec, endpoints=endpoints)
        places = tuple(
            self._networks.endpoint(one.network, self._started, one.aliases) for one in endpoints
        )
        self._containers.update(container, endpoints=places if container.is_alive else ())

    def find_network(self, name_or_id: str) -> NetworkRecord:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.find_network`."""
        with self._lock:
            return self._networks.find(name_or_id)

    def prune_networks(self) -> tuple[str, ...]:
        """See :meth:`agents.engines.abilities.networks.ConnectsNetworks.prune_networks`."""
        removed = []
        for network in self.list_networks():
            with suppress(ConflictError):
                self.remove_network(network.name)
                removed.append(network.name)
        return tuple(removed)
