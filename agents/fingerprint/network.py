"""The addresses under which others reach this host."""

from collections.abc import Iterable
from ipaddress import IPv4Network

from agents.linux import netlink


def addresses(own_networks: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the host's IPv4 addresses, but for loopback, link-local ones, and those that
    it has on ``own_networks``, the subnets of its containers.
    """
    own = [IPv4Network(subnet) for subnet in own_networks if subnet]
    found = []
    for held in netlink.list_addresses():
        address = held.address.ip
        outside = address.version == 4 and not any(address in network for network in own)
        if outside and not address.is_loopback and not address.is_link_local:
            found.append(str(address))
    return tuple(found)
