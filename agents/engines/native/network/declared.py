"""What should be in force, as it follows from the networks and who is attached. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address

from agents.engines.native.network.names import View
from agents.engines.native.network.records import AttachmentFile, NetworkFile, PortFile
from agents.linux.nftables import Forward, Resolver, Ruleset, Subnet


def view_key(attachment: AttachmentFile) -> str:
    """Return the view of an attached container: the networks it is on, in their order."""
    return "-".join(endpoint.network_id for endpoint in attachment.endpoints)


def views(
    networks: Collection[NetworkFile], attachments: Collection[AttachmentFile]
) -> tuple[View, ...]:
    """Return a view for each network, and for each set of networks that a container is on."""
    by_id = {network.id: network for network in networks}
    several = {view_key(one) for one in attachments if len(one.endpoints) > 1}
    return tuple(
        View(
            key=key,
            gateway=by_id[key.split("-")[0]].gateway_address,
            hosts=tuple(_hosts(key.split("-"), attachments)),
        )
        for key in (*by_id, *sorted(several))
    )


def _hosts(
    network_ids: Collection[str], attachments: Iterable[AttachmentFile]
) -> Iterable[tuple[IPv4Address, tuple[str, ...]]]:
    for attachment in attachments:
        for endpoint in attachment.endpoints:
            if endpoint.network_id in network_ids:
                yield IPv4Address(endpoint.address), endpoint.names


def ruleset(
    table: str,
    networks: Collection[NetworkFile],
    attachments: Collection[AttachmentFile],
    dns_ports: Mapping[str, int],
) -> Ruleset:
    """Return the packet rules; ``dns_ports`` are the resolvers' ports by view."""
    return Ruleset(
        table=table,
        subnets=tuple(_subnet(network, dns_ports[network.id]) for network in networks),
        forwards=tuple(_forward(port) for one in attachments for port in one.ports),
        resolvers=tuple(_resolvers(networks, attachments, dns_ports)),
    )


def _subnet(network: NetworkFile, dns_port: int) -> Subnet:
    return Subnet(
        bridge=network.bridge,
        network=network.network,
        gateway=network.gateway_address,
        dns_port=dns_port,
        internal=network.internal,
    )


def _forward(port: PortFile) -> Forward:
    return Forward(
        host_ip=IPv4Address(port.host_ip) if port.host_ip else None,
        host_port=port.host_port,
        address=IPv4Address(port.address),
        port=port.container_port,
        protocol=port.protocol,
    )


def _resolvers(
    networks: Collection[NetworkFile],
    attachments: Collection[AttachmentFile],
    dns_ports: Mapping[str, int],
) -> Iterable[Resolver]:
    bridges = {network.id: network.bridge for network in networks}
    for attachment in attachments:
        if len(attachment.endpoints) > 1:
            first = attachment.endpoints[0]
            yield Resolver(
                bridge=bridges[first.network_id],
                address=IPv4Address(first.address),
                dns_port=dns_ports[view_key(attachment)],
            )


def additions(old: Ruleset, new: Ruleset) -> Ruleset | None:
    """Return what ``new`` has more than ``old``, or None when it also lacks something."""
    forwards, resolvers = set(new.forwards), set(new.resolvers)
    lacks = set(old.forwards) - forwards or set(old.resolvers) - resolvers
    if old.subnets != new.subnets or lacks:
        return None
    return replace(
        new,
        forwards=tuple(forwards - set(old.forwards)),
        resolvers=tuple(resolvers - set(old.resolvers)),
    )
