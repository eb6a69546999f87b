"""A container's network: its places on the engine's networks, in the namespace it has got."""

from pathlib import Path

from agents.engines.native.containers.container import Container
from agents.engines.native.network import Attachment, Networks, Request
from agents.linux import namespaces


def reserve(container: Container, networks: Networks) -> Attachment:
    """Choose the container's addresses and ports, before it has a namespace.

    What it has from before (a restart by policy) it keeps. Nothing is chosen for one that
    shares the network of the host or of another container. Raises ``ConflictError`` for a
    port in use; the caller calls :func:`disconnect` then.
    """
    if not has_own_network(container):
        return Attachment()
    spec = container.manifest.spec
    known = networks.attachment(container.id)
    if known is not None:
        return known
    with_networks = spec.network_mode == "bridge"
    return networks.reserve(
        Request(
            container_id=container.id,
            name=container.manifest.name,
            namespace=container.paths.network,
            hostname=spec.hostname,
            dns=spec.dns,
            endpoints=spec.endpoints if with_networks else (),
            ports=spec.ports if with_networks else (),
        )
    )


def connect(container: Container, init: int, networks: Networks) -> None:
    """Wire up the network namespace of the container's first process, and keep it by a path.

    The runtime made it, so that it belongs to the container's user namespace: only so do
    capabilities of its root hold over it (user_namespaces(7)).
    """
    if has_own_network(container):
        namespaces.keep_network_namespace(init, container.paths.network)
        networks.connect(container.id, container.paths.network)


def has_own_network(container: Container) -> bool:
    """Return whether the container's network is neither the host's nor another's."""
    return container.manifest.spec.network_mode in ("bridge", "none")


def disconnect(container_id: str, namespace: Path, networks: Networks) -> None:
    """Undo :func:`reserve` and :func:`connect`. Idempotent."""
    networks.detach(container_id)
    namespaces.remove_network_namespace(namespace)
