"""Which addresses of a network are free, and the names of interfaces."""

import hashlib
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from agents.engines.native.network.records import Address, NetworkFile
from agents.errors import ConflictError, InvalidInputError

Network = IPv4Network | IPv6Network
Family = int


def parse_address(text: str, field: str, family: Family | None = None) -> Address:
    """Return an address of a spec. Raises InvalidInputError that names the field."""
    try:
        address = ip_address(text)
    except ValueError as exc:
        raise InvalidInputError(f"{text} is no IP address", field=field) from exc
    if family is not None and address.version != family:
        raise InvalidInputError(f"{text} is no IPv{family} address", field=field)
    return address


def check_host_address(address: Address, subnet: Network, field: str) -> None:
    """Raise InvalidInputError unless a host of the subnet may have the address."""
    if address not in subnet or address in _edges(subnet):
        raise InvalidInputError(f"{address} is no host's address in {subnet}", field=field)


def _edges(subnet: Network) -> tuple[Address, ...]:
    # IPv6 has no broadcast; the first address is that of any router (RFC 4291, 2.6.1).
    if isinstance(subnet, IPv6Network):
        return (subnet.network_address,)
    return (subnet.network_address, subnet.broadcast_address)


def asked_address(
    text: str, network: NetworkFile, used: Collection[Address], family: Family
) -> Address:
    """Return the fixed address of an endpoint. Raises InvalidInputError, ConflictError."""
    field = f"ipv{family}_address"
    address = parse_address(text, field, family)
    subnet = _subnet(network, family)
    if subnet is None:
        raise InvalidInputError(f"the network {network.name} has no IPv{family}", field=field)
    check_host_address(address, subnet, field)
    if address in used or address in network.gateway_addresses:
        raise ConflictError(
            f"the address {address} of the network {network.name} is taken", field=field
        )
    return address


def _subnet(network: NetworkFile, family: Family) -> Network | None:
    return network.network if family == 4 else network.network6


def next_address(
    network: NetworkFile, used: Collection[Address], last: Address | None, family: Family
) -> Address | None:
    """Return the first free address after ``last``, round and round; None without the family.

    So an address that was given back is not given out at once, while somebody may still
    remember who had it. Raises ConflictError when all are taken.
    """
    subnet = _subnet(network, family)
    if subnet is None:
        return None
    part = _part(network, subnet)
    barred = {*used, *network.gateway_addresses, *_edges(subnet)}
    size, first = part.num_addresses, int(part.network_address)
    start = -1 if last is None or last not in part else int(last) - first
    for step in range(1, size + 1):
        address = part.network_address + (start + step) % size
        if address not in barred:
            return address
    raise ConflictError(f"all addresses of the network {network.name} are taken")


def _part(network: NetworkFile, subnet: Network) -> Network:
    """Return the part of a subnet that addresses are given from."""
    asked = network.spec.ip_range
    part = ip_network(asked) if asked else subnet
    return part if part.version == subnet.version else subnet


def mac_of(address: Address) -> str:
    """Return the MAC address that goes with an IPv4 address.

    It follows from the address, so a neighbour's memory is right whoever has it now; the
    second lowest bit of the first byte marks it as locally administered (IEEE 802).
    """
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x57, *address.packed[-4:]))


def link_name(prefix: str, *parts: str) -> str:
    """Return an interface name of 10 characters (the kernel takes 15) for some ids."""
    return prefix + hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
