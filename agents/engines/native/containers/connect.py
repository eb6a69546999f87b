"""A container's network: its namespace, and its places on the engine's networks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from agents.engines.native.containers.container import Container
from agents.engines.native.network.records import Attachment
from agents.engines.specs import EndpointSpec, PortSpec
from agents.linux import namespaces


class Attacher(Protocol):
    """What is needed of the networks: see ``agents.engines.native.network``."""

    def attach(
        self,
        container_id: str,
        namespace: Path,
        *,
        name: str,
        endpoints: Sequence[EndpointSpec],
        ports: Sequence[PortSpec],
    ) -> Attachment:
        """Wire a namespace up. Idempotent; leaves nothing when it fails."""
        ...

    def detach(self, container_id: str) -> None:
        """Undo that. Idempotent."""
        ...


def connect(container: Container, networks: Attacher) -> Attachment:
    """Make the container's namespace and wire it up, unless it has the host's network.

    Idempotent. Raises ``ConflictError`` for a port in use; nothing is left then.
    """
    spec = container.manifest.spec
    if spec.network_mode == "host":
        return Attachment()
    namespaces.create_network_namespace(container.paths.network)
    return networks.attach(
        container.id,
        container.paths.network,
        name=container.manifest.name,
        endpoints=spec.endpoints if spec.network_mode == "bridge" else (),
        ports=spec.ports if spec.network_mode == "bridge" else (),
    )


def disconnect(container_id: str, namespace: Path, networks: Attacher) -> None:
    """Undo :func:`connect`. Idempotent."""
    networks.detach(container_id)
    namespaces.remove_network_namespace(namespace)
