"""Which subnets and addresses are free."""

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from pathlib import Path

from agents.engines.native.network.records import NetworkFile
from agents.engines.specs import NetworkSpec
from agents.errors import ConflictError, InvalidInputError, NotSupportedError
from agents.linux import netlink
from agents.linux.failures import kernel_errors

DEFAULT_POOL = IPv4Network("10.210.0.0/16")
PREFIX = 24

_LOCK = Path("/run/webpanel-subnets.lock")


@contextmanager
def subnet_lock() -> Iterator[None]:
    """Keep other agents of this machine from choosing a subnet meanwhile. Blocks."""
    with kernel_errors("lock", _LOCK):
        fd = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def taken_subnets(networks: Collection[NetworkFile]) -> tuple[IPv4Network, ...]:
    """Return what this host uses already: its routes, its addresses, our own networks."""
    addresses = (address.network for address in netlink.list_addresses())
    return (*netlink.list_routes(), *addresses, *(one.network for one in networks))


def choose_subnet(
    spec: NetworkSpec, pool: IPv4Network, taken: Collection[IPv4Network]
) -> tuple[IPv4Network, IPv4Address]:
    """Return the subnet and gateway of a new network.

    Raises:
        ConflictError: the asked subnet overlaps one in use, or the pool is used up.
        InvalidInputError: subnet or gateway are no such thing.
    """
    subnet = asked_subnet(spec, taken) if spec.subnet else free_subnet(pool, taken)
    gateway = _parse_gateway(spec, subnet) if spec.gateway else subnet.network_address + 1
    return subnet, gateway


def free_subnet(pool: IPv4Network, taken: Collection[IPv4Network]) -> IPv4Network:
    """Return the first /24 of the pool that overlaps nothing. Raises ConflictError."""
    for candidate in pool.subnets(new_prefix=max(PREFIX, pool.prefixlen)):
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
    raise ConflictError(
        f"no subnet of {pool} is free",
        hint="Remove networks that are not used any more, or give the agent another pool.",
        field="subnet",
    )


def asked_subnet(spec: NetworkSpec, taken: Collection[IPv4Network]) -> IPv4Network:
    """Return the subnet that a spec names, when it is free."""
    subnet = _parse_subnet(spec.subnet)
    for other in taken:
        if subnet.overlaps(other):
            raise ConflictError(
                f"the subnet {subnet} of the network {spec.name} overlaps {other}, in use here",
                hint="Choose another subnet, or leave it out.",
                field="subnet",
            )
    return subnet


def _parse_subnet(text: str) -> IPv4Network:
    if ":" in text:
        raise NotSupportedError(f"the subnet {text} is IPv6, which this engine does not do")
    try:
        subnet = IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as exc:
        raise InvalidInputError(f"{text} is no subnet: {exc}", field="subnet") from exc
    if subnet.prefixlen > 29:
        raise InvalidInputError(f"the subnet {subnet} is too small", field="subnet")
    return subnet


def _parse_gateway(spec: NetworkSpec, subnet: IPv4Network) -> IPv4Address:
    gateway = parse_address(spec.gateway, "gateway")
    _check_host_address(gateway, subnet, "gateway")
    return gateway


def parse_address(text: str, field: str) -> IPv4Address:
    """Return an address of a spec. Raises InvalidInputError that names the field."""
    try:
        return IPv4Address(text)
    except AddressValueError as exc:
        raise InvalidInputError(f"{text} is no IPv4 address", field=field) from exc


def _check_host_address(address: IPv4Address, subnet: IPv4Network, field: str) -> None:
    edges = (subnet.network_address, subnet.broadcast_address)
    if address not in subnet or address in edges:
        raise InvalidInputError(f"{address} is no host's address in {subnet}", field=field)


def asked_address(text: str, network: NetworkFile, used: Collection[IPv4Address]) -> IPv4Address:
    """Return the fixed address of an endpoint. Raises InvalidInputError, ConflictError."""
    address = parse_address(text, "ipv4_address")
    _check_host_address(address, network.network, "ipv4_address")
    if address in used or address == network.gateway_address:
        raise ConflictError(
            f"the address {address} of the network {network.name} is taken", field="ipv4_address"
        )
    return address


def next_address(
    network: NetworkFile, used: Collection[IPv4Address], last: IPv4Address | None
) -> IPv4Address:
    """Return the first free address after ``last``, round and round.

    So an address that was given back is not given out at once, while somebody may still
    remember who had it. Raises ConflictError when all are taken.
    """
    subnet = network.network
    size = subnet.num_addresses
    start = 0 if last is None or last not in subnet else int(last) - int(subnet.network_address)
    for step in range(1, size + 1):
        address = subnet.network_address + (start + step) % size
        edge = address in (subnet.network_address, subnet.broadcast_address)
        if not edge and address != network.gateway_address and address not in used:
            return address
    raise ConflictError(f"all addresses of the network {network.name} are taken")


def mac_of(address: IPv4Address) -> str:
    """Return the MAC address that goes with an address.

    It follows from the address, so a neighbour's memory is right whoever has it now; the
    second lowest bit of the first byte marks it as locally administered (IEEE 802).
    """
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x57, *address.packed))


def link_name(prefix: str, *parts: str) -> str:
    """Return an interface name of 10 characters (the kernel takes 15) for some ids."""
    return prefix + hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
