"""Engines that move containers between networks while they run."""

from typing import Protocol, runtime_checkable

from agents.engines.specs import EndpointSpec
from agents.protocol.records import ContainerRecord, NetworkRecord


@runtime_checkable
class ConnectsNetworks(Protocol):
    """An engine whose containers join and leave networks at any time."""

    def connect_network(self, container_id: str, endpoint: EndpointSpec) -> ContainerRecord:
        """Put a container on one more network, at once if it runs, and for its next starts.

        Idempotent. The default route and the published ports follow the endpoint with the
        greatest ``gateway_priority``, of equals the first on a network that leads out.

        Raises ``NotFoundError``; ``ConflictError`` if it is there with another address or
        other aliases, if the address is taken, or if its network is the host's, none or
        another container's; ``InvalidInputError``. Nothing is changed then.
        """
        ...

    def disconnect_network(self, container_id: str, network: str) -> ContainerRecord:
        """Take a container off a network, at once if it runs, and for its next starts.

        One that is not on it is left alone. Raises ``NotFoundError``: no such container or
        network.
        """
        ...

    def find_network(self, name_or_id: str) -> NetworkRecord:
        """Return one network. Raises ``NotFoundError``."""
        ...

    def prune_networks(self) -> tuple[str, ...]:
        """Remove the networks that no container, running or not, is on; return their names."""
        ...
