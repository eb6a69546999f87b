"""Networks: made, listed, removed."""

from collections.abc import Mapping

from agents.engines.base import Engine
from agents.engines.native.containers.container import Container
from agents.engines.native.parts import Parts
from agents.engines.specs import NetworkSpec
from agents.errors import ConflictError
from agents.protocol.records import NetworkRecord


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
        return self._parts.networks.list(labels)


def _is_on(container: Container, network: str) -> bool:
    return any(one.network == network for one in container.manifest.spec.endpoints)
