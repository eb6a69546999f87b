"""Which subnets are free on this host."""

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from agents.engines.native.network.addresses import (
    Family,
    Network,
    check_host_address,
    link_name,
    parse_address,
)
from agents.engines.native.network.records import Address, NetworkFile
from agents.engines.specs import NetworkSpec
from agents.errors import ConflictError, InvalidInputError, TimedOutError
from agents.linux import netlink
from agents.linux.failures import kernel_errors

__all__ = ["DEFAULT_POOL", "link_name"]

DEFAULT_POOL = IPv4Network("10.210.0.0/16")
# Where to look when something of the host lies across the whole of the first pool.
_MORE_POOLS = (IPv4Network("172.28.0.0/14"), IPv4Network("192.168.192.0/18"))
PREFIX = 24
PREFIX6 = 64

# Routes as short as these are a default route, whole or in halves as VPNs like to have it.
_SHORTEST = 3
_LOCK = Path("/run/webpanel-subnets.lock")
_IN_PROCESS = threading.Lock()
_PATIENCE, _STEP = 30.0, 0.005


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A subnet in use, and by what, to complete the words "in use by"."""

    network: Network
    holder: str
    interface: str = ""


@contextmanager
def subnet_lock() -> Iterator[None]:
    """Keep other agents of this machine from choosing a subnet meanwhile. Blocks.

    A lock of the process (fcntl(2), F_SETLK) and not of the open file (flock(2)): a child
    that another thread forks meanwhile would hold that one on. Raises TimedOutError.
    """
    with _IN_PROCESS, kernel_errors("lock", _LOCK):
        fd = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(fd)
            yield
        finally:
            os.close(fd)


def _lock(fd: int) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as exc:
            if time.monotonic() > end:
                raise TimedOutError(
                    f"another agent of this host keeps the lock {_LOCK} for {_PATIENCE:.0f} s"
                ) from exc
            time.sleep(_STEP)
        else:
            return


def used_by_host() -> tuple[Taken, ...]:
    """Return what this host uses: its addresses, and its routes of all tables."""
    addresses = (
        Taken(
            network=one.address.network,
            holder=f"the address {one.address} of {one.interface}",
            interface=one.interface,
        )
        for one in netlink.list_addresses()
    )
    routes = (
        Taken(
            network=one.network,
            holder=f"a route of {one.interface or 'this host'} in table {one.table}",
            interface=one.interface,
        )
        for one in netlink.list_routes()
        if one.network.prefixlen > _SHORTEST
    )
    return (*addresses, *routes)


def used_by_networks(networks: Iterable[NetworkFile]) -> tuple[Taken, ...]:
    """Return the subnets of our own networks."""
    return tuple(
        Taken(network=subnet, holder=f"the network {one.name}", interface=one.bridge)
        for one in networks
        for subnet in (one.network, one.network6)
        if subnet is not None
    )


def choose_subnet(
    spec: NetworkSpec, pool: IPv4Network, taken: Collection[Taken]
) -> tuple[Network, Address]:
    """Return the IPv4 subnet and gateway of a new network.

    Raises:
        ConflictError: the asked subnet overlaps one in use, or the pool is used up.
        InvalidInputError: subnet or gateway are no such thing.
    """
    if spec.subnet:
        subnet = _asked(spec, spec.subnet, 4, taken)
    else:
        subnet = _free(_candidates(pool), str(pool), taken)
    return subnet, _gateway(spec.gateway, subnet, "gateway")


def choose_subnet6(
    spec: NetworkSpec, seed: str, taken: Collection[Taken]
) -> tuple[Network, Address]:
    """Return the IPv6 subnet and gateway; ``seed`` names the agent, as RFC 4193 wants it.

    Raises as :func:`choose_subnet`.
    """
    if spec.subnet6:
        subnet = _asked(spec, spec.subnet6, 6, taken)
    else:
        unique = IPv6Network((b"\xfd" + hashlib.sha256(seed.encode()).digest()[:5] + bytes(10), 48))
        subnet = _free(unique.subnets(new_prefix=PREFIX6), str(unique), taken)
    return subnet, _gateway(spec.gateway6, subnet, "gateway6")


def _candidates(pool: IPv4Network) -> Iterator[IPv4Network]:
    more = _MORE_POOLS if pool == DEFAULT_POOL else ()
    for one in (pool, *more):
        yield from one.subnets(new_prefix=max(PREFIX, one.prefixlen))


def _free(candidates: Iterable[Network], pool: str, taken: Collection[Taken]) -> Network:
    for candidate in candidates:
        if _holder(candidate, taken) is None:
            return candidate
    raise ConflictError(
        f"no subnet of {pool} is free",
        hint="Remove networks that are not used any more, or give the agent another pool.",
        field="subnet",
    )


def _holder(subnet: Network, taken: Iterable[Taken]) -> Taken | None:
    return next((one for one in taken if overlaps(one.network, subnet)), None)


def overlaps(one: Network, other: Network) -> bool:
    """Return whether two networks have an address in common."""
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def _asked(spec: NetworkSpec, text: str, family: Family, taken: Collection[Taken]) -> Network:
    subnet = _parse(text, family)
    other = _holder(subnet, taken)
    if other is None:
        return subnet
    raise ConflictError(
        f"the subnet {subnet} of the network {spec.name} overlaps {other.network},"
        f" in use by {other.holder}",
        hint="Choose another subnet, or leave it out.",
        field="subnet" if family == 4 else "subnet6",
    )


def _parse(text: str, family: Family) -> Network:
    field, longest = ("subnet", 29) if family == 4 else ("subnet6", 126)
    try:
        subnet = ip_network(text)
    except ValueError as exc:
        raise InvalidInputError(f"{text} is no subnet: {exc}", field=field) from exc
    if subnet.version != family:
        raise InvalidInputError(f"{text} is no IPv{family} subnet", field=field)
    if subnet.prefixlen > longest:
        raise InvalidInputError(f"the subnet {subnet} is too small", field=field)
    return subnet


def _gateway(text: str, subnet: Network, field: str) -> Address:
    if not text:
        return subnet.network_address + 1
    gateway = parse_address(text, field, subnet.version)
    check_host_address(gateway, subnet, field)
    return gateway


def check_range(spec: NetworkSpec, subnets: Iterable[Network]) -> None:
    """Raise InvalidInputError for an ``ip_range`` that is no part of a subnet."""
    if not spec.ip_range:
        return
    try:
        part = ip_network(spec.ip_range)
    except ValueError as exc:
        raise InvalidInputError(f"{spec.ip_range} is no range: {exc}", field="ip_range") from exc
    for subnet in subnets:
        if _is_part(part, subnet):
            return
    raise InvalidInputError(
        f"the range {part} is no part of the subnet of the network {spec.name}", field="ip_range"
    )


def _is_part(part: Network, subnet: Network) -> bool:
    return overlaps(part, subnet) and part.prefixlen >= subnet.prefixlen


def find_clashes(networks: Iterable[NetworkFile], taken: Collection[Taken]) -> tuple[str, ...]:
    """Return a sentence for each interface that has come to lie across one of our networks."""
    found: dict[tuple[Network, str], str] = {}
    for ours in used_by_networks([one for one in networks if one.bridge]):
        for other in taken:
            if other.interface != ours.interface and overlaps(ours.network, other.network):
                found.setdefault((ours.network, other.interface), _clash(ours, other))
    return tuple(sorted(found.values()))


def _clash(ours: Taken, other: Taken) -> str:
    return (
        f"The subnet {ours.network} of {ours.holder} is also that of {other.holder}; traffic to"
        " one of them is lost. Make the network again with another subnet."
    )
