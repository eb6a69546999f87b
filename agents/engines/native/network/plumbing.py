"""What the kernel must have of networks and of containers' places on them."""

from collections.abc import Mapping
from pathlib import Path

from agents.engines.native.network import endpoints
from agents.engines.native.network.addresses import mac_of
from agents.engines.native.network.forwarding import let_loopback_in
from agents.engines.native.network.options import read_options
from agents.engines.native.network.records import AttachmentFile, EndpointFile, NetworkFile
from agents.errors import NotFoundError
from agents.linux import netlink
from agents.linux.netlink import Cable, Plug

Networks = Mapping[str, NetworkFile]


def raise_network(network: NetworkFile) -> bool:
    """Make the bridge of a network; return whether it was missing. Idempotent."""
    if not network.bridge:
        if netlink.find_link(network.parent) is None:
            raise NotFoundError(
                f"this host has no interface {network.parent}, which the network"
                f" {network.name} sits on",
                field="parent",
            )
        return False
    made = netlink.create_bridge(
        network.bridge,
        network.gateway_interfaces,
        mac_of(network.gateway_address),
        read_options(network.spec).mtu,
    )
    let_loopback_in(network.bridge)
    return made


def raze_network(network: NetworkFile) -> None:
    """Remove the bridge of a network. Idempotent."""
    if network.bridge:
        netlink.delete_link(network.bridge)


def plug_in(attachment: AttachmentFile, endpoint: EndpointFile, networks: Networks) -> None:
    """Make the link of an endpoint, in place of one that is there. Raises KernelError."""
    network, namespace = networks[endpoint.network], Path(attachment.namespace)
    options = read_options(network.spec)
    leading = endpoints.gateways(attachment.endpoints, networks)
    gateways = tuple(gateway for gateway, one in leading.items() if one == endpoint)
    addresses = tuple(network.interface(one) for one in endpoint.addresses)
    if not network.bridge:
        plug = Plug(
            name=endpoint.interface,
            mac_address=endpoint.mac_address,
            addresses=addresses,
            gateways=gateways,
            mtu=options.mtu,
        )
        netlink.connect_macvlan(plug, network.parent, options.macvlan_mode, namespace)
        return
    cable = Cable(
        host_name=endpoint.link,
        bridge=network.bridge,
        name=endpoint.interface,
        mac_address=endpoint.mac_address,
        addresses=addresses,
        gateways=gateways,
        mtu=options.mtu,
        isolated=not options.icc,
    )
    netlink.connect(cable, namespace)


def plug_in_all(attachment: AttachmentFile, networks: Networks) -> None:
    """Make all links of a container; its loopback is switched on in any case."""
    for endpoint in attachment.endpoints:
        plug_in(attachment, endpoint, networks)
    if not attachment.endpoints:
        netlink.bring_loopback_up(Path(attachment.namespace))


def unplug(attachment: AttachmentFile, endpoint: EndpointFile, networks: Networks) -> None:
    """Remove the link of an endpoint of a running container. Idempotent."""
    network = networks.get(endpoint.network)
    if network is None or network.bridge:
        netlink.delete_link(endpoint.link)
    else:
        netlink.delete_inside(endpoint.interface, Path(attachment.namespace))


def lead_out(attachment: AttachmentFile, networks: Networks) -> None:
    """Set a running container's default routes anew, after its places have changed."""
    leading = endpoints.gateways(attachment.endpoints, networks)
    routes = tuple((one.interface, gateway) for gateway, one in leading.items())
    netlink.set_default_routes(routes, Path(attachment.namespace))


def forget_flows(attachment: AttachmentFile) -> None:
    """Let senders over UDP reach whoever has the ports now."""
    for number in {one.host_port for one in attachment.ports if one.protocol == "udp"}:
        netlink.forget_udp_flows(number)
