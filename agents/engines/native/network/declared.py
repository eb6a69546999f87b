"""What should be in force, as it follows from the networks and who is attached. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from agents.engines.native.network import endpoints
from agents.engines.native.network.names import View
from agents.engines.native.network.options import read_options
from agents.engines.native.network.records import (
    Address,
    AttachmentFile,
    EndpointFile,
    NetworkFile,
    PortFile,
)
from agents.linux.nftables import Forward, Resolver, Ruleset, Subnet

# The name of a view is that of its files, which may have 255 bytes.
_LONGEST = 120


@dataclass(frozen=True, kw_only=True)
class State:
    """All networks by name, and all attachments, at one time."""

    networks: Mapping[str, NetworkFile]
    attachments: tuple[AttachmentFile, ...]

    @property
    def bridged(self) -> tuple[NetworkFile, ...]:
        """The networks that have a bridge, and with it a resolver."""
        return tuple(one for one in self.networks.values() if one.bridge)


def view_key(attachment: AttachmentFile) -> str:
    """Return the view of an attached container: the networks it is on, in their order."""
    key = "-".join(endpoint.network_id for endpoint in attachment.endpoints)
    if attachment.dns or len(key) > _LONGEST:
        text = "/".join((key, *attachment.dns))
        key = hashlib.sha256(text.encode()).hexdigest()[:24]
    return key


def views(state: State) -> tuple[View, ...]:
    """Return a view for each bridge, and for each set of networks that a container is on.

    A container with name servers of its own has a view of its own, too.
    """
    by_network = _hosts_by_network(state.attachments)
    plain = (
        View(key=one.id, gateway=one.gateway_address, hosts=tuple(by_network.get(one.id, ())))
        for one in state.bridged
    )
    special = {view_key(one): one for one in state.attachments if _is_special(one)}
    found = (_view(state, key, one, by_network) for key, one in sorted(special.items()))
    return (*plain, *(view for view in found if view is not None))


Hosts = Mapping[str, list[tuple[Address, tuple[str, ...]]]]


def _is_special(attachment: AttachmentFile) -> bool:
    return len(attachment.endpoints) > 1 or bool(attachment.dns and attachment.endpoints)


def _view(state: State, key: str, attachment: AttachmentFile, by_network: Hosts) -> View | None:
    asking = endpoints.asking(attachment, state.networks)
    if asking is None:
        return None
    known = (by_network.get(one.network_id, ()) for one in attachment.endpoints)
    return View(
        key=key,
        gateway=state.networks[asking.network].gateway_address,
        hosts=tuple(host for hosts in known for host in hosts),
        servers=attachment.dns,
    )


def _hosts_by_network(attachments: Iterable[AttachmentFile]) -> Hosts:
    found: dict[str, list[tuple[Address, tuple[str, ...]]]] = {}
    for attachment in attachments:
        for endpoint in attachment.endpoints:
            entries = found.setdefault(endpoint.network_id, [])
            entries.extend((address, endpoint.names) for address in endpoint.addresses)
    return found


def ruleset(table: str, state: State, dns_ports: Mapping[str, int]) -> Ruleset:
    """Return the packet rules; ``dns_ports`` are the resolvers' ports by view."""
    return Ruleset(
        table=table,
        subnets=tuple(_subnet(network, dns_ports[network.id]) for network in state.bridged),
        forwards=tuple(_forward(port) for one in state.attachments for port in one.ports),
        resolvers=tuple(_resolvers(state, dns_ports)),
    )


def _subnet(network: NetworkFile, dns_port: int) -> Subnet:
    return Subnet(
        bridge=network.bridge,
        network=network.network,
        network6=network.network6,
        gateway=network.gateway_address,
        dns_port=dns_port,
        internal=network.internal,
        masquerade=read_options(network.spec).masquerade,
    )


def _forward(port: PortFile) -> Forward:
    return Forward(
        host_ip=ip_address(port.host_ip) if port.host_ip else None,
        host_port=port.host_port,
        address=ip_address(port.address),
        port=port.container_port,
        protocol=port.protocol,
    )


def _resolvers(state: State, dns_ports: Mapping[str, int]) -> Iterator[Resolver]:
    for attachment in state.attachments:
        asking = endpoints.asking(attachment, state.networks)
        if asking is not None and _is_special(attachment):
            address = IPv4Address(asking.address)
            yield Resolver(address=address, dns_port=dns_ports[view_key(attachment)])


def users(networks: Collection[str], attachments: Iterable[AttachmentFile]) -> Iterator[str]:
    """Return the names of the containers that are on one of these networks (by id)."""
    for attachment in attachments:
        if any(_is_on(endpoint, networks) for endpoint in attachment.endpoints):
            yield attachment.name


def _is_on(endpoint: EndpointFile, networks: Collection[str]) -> bool:
    return endpoint.network_id in networks
