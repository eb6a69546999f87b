"""A container's network: its namespace, and its places on the engine's networks."""

from pathlib import Path

from agents.engines.native.containers.container import Container
from agents.engines.native.network import Attachment, Networks, Request
from agents.linux import namespaces


def connect(container: Container, networks: Networks) -> Attachment:
    """Make the container's namespace and wire it up, unless it has the host's network.

    What it has from before (a restart by policy) it keeps, with its addresses. Raises
    ``ConflictError`` for a port in use; the caller calls :func:`disconnect` then.
    """
    spec = container.manifest.spec
    if spec.network_mode == "host":
        return Attachment()
    namespace = container.paths.network
    known = networks.attachment(container.id)
    if known is not None and namespaces.is_network_namespace(namespace):
        return known
    namespaces.create_network_namespace(namespace)
    with_networks = spec.network_mode == "bridge"
    return networks.attach(
        Request(
            container_id=container.id,
            name=container.manifest.name,
            namespace=namespace,
            hostname=spec.hostname,
            endpoints=spec.endpoints if with_networks else (),
            ports=spec.ports if with_networks else (),
        )
    )


def disconnect(container_id: str, namespace: Path, networks: Networks) -> None:
    """Undo :func:`connect`. Idempotent."""
    networks.detach(container_id)
    namespaces.remove_network_namespace(namespace)
