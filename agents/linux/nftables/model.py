"""What a table has to do, and the elements of its maps that follow. Pure."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

Address = IPv4Address | IPv6Address

_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A bridge and what is behind it. ``dns_port`` is where its resolver listens."""

    bridge: str
    network: IPv4Network
    gateway: IPv4Address
    dns_port: int
    network6: IPv6Network | None = None
    internal: bool = False
    masquerade: bool = True


@dataclass(frozen=True, kw_only=True)
class Forward:
    """A published port; ``host_ip`` None is every address of this host, of the same family.

    It cannot be ::1: the kernel takes no answer for that from another interface.
    """

    host_ip: Address | None
    host_port: int
    address: Address
    port: int
    protocol: Literal["tcp", "udp"]


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """A container, by its address, that asks another resolver than its bridge's own."""

    address: IPv4Address
    dns_port: int


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """All that one table has to do."""

    table: str
    subnets: tuple[Subnet, ...] = ()
    forwards: tuple[Forward, ...] = ()
    resolvers: tuple[Resolver, ...] = ()

    def elements(self) -> "frozenset[Element]":
        """Return all elements of the table's maps."""
        ports = (_port(one) for one in self.forwards)
        return frozenset((*ports, *(_resolver(one) for one in self.resolvers)))


@dataclass(frozen=True, kw_only=True)
class MapType:
    """A map of the table: its types in nft(8)'s words."""

    name: str
    key: str
    value: str


_PORT = "inet_proto . inet_service"
MAPS = (
    MapType(name="port4", key=_PORT, value="ipv4_addr . inet_service"),
    MapType(name="port4_at", key=f"ipv4_addr . {_PORT}", value="ipv4_addr . inet_service"),
    MapType(name="port6", key=_PORT, value="ipv6_addr . inet_service"),
    MapType(name="port6_at", key=f"ipv6_addr . {_PORT}", value="ipv6_addr . inet_service"),
    MapType(name="local4", key=f"ipv4_addr . {_PORT}", value="ipv4_addr . inet_service"),
    MapType(name="resolver", key="ipv4_addr", value="inet_service"),
)


@dataclass(frozen=True, kw_only=True)
class Element:
    """One entry of a map, as the kernel keeps it: each field padded to 4 bytes."""

    map: str
    key: bytes
    value: bytes
    text: str


def _port(forward: Forward) -> Element:
    key, words = _key(forward)
    return Element(
        map=_map_of(forward),
        key=key,
        value=forward.address.packed + _number(forward.port),
        text=f"{words} : {forward.address} . {forward.port}",
    )


def _map_of(forward: Forward) -> str:
    """Return the map for a port; one on 127.0.0.0/8 is for this host alone."""
    family = forward.address.version
    if forward.host_ip is None:
        return f"port{family}"
    return "local4" if forward.host_ip.is_loopback else f"port{family}_at"


def _key(forward: Forward) -> tuple[bytes, str]:
    number = _PROTOCOLS[forward.protocol]
    key = bytes((number, 0, 0, 0)) + _number(forward.host_port)
    words = f"{forward.protocol} . {forward.host_port}"
    if forward.host_ip is None:
        return key, words
    return forward.host_ip.packed + key, f"{forward.host_ip} . {words}"


def _resolver(resolver: Resolver) -> Element:
    return Element(
        map="resolver",
        key=resolver.address.packed,
        value=_number(resolver.dns_port)[:2],
        text=f"{resolver.address} : {resolver.dns_port}",
    )


def _number(port: int) -> bytes:
    return port.to_bytes(2, "big") + b"\0\0"
