"""What a network namespace holds: interfaces with both their ends, addresses, routes.

Only reads; what changes links is in :mod:`agents.linux.netlink`.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pyroute2.iproute import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from agents.linux.failures import kernel_error, kernel_errors

# pyroute2 has no types; what it gives goes no further than this file.
Socket = Any
Message = Any

_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_MAIN = 254


@dataclass(frozen=True, kw_only=True)
class FoundLink:
    """An interface. ``peer`` is the index of what it is bound to: of a veth its other end.

    ``master`` is the index of its bridge, 0 for none.
    """

    index: int
    name: str
    kind: str
    mac_address: str
    mtu: int
    is_up: bool
    peer: int
    master: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FoundRoute:
    """A route of the main table; ``gateway`` "" for none."""

    destination: str
    interface: str
    gateway: str


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found in one namespace."""

    links: tuple[FoundLink, ...] = ()
    routes: tuple[FoundRoute, ...] = ()
    by_index: dict[int, FoundLink] = field(default_factory=dict)


def survey() -> Survey:
    """Return what the calling thread's network namespace holds. Raises KernelError."""
    with _socket() as ip:
        addresses = _addresses(ip)
        links = tuple(_link(message, addresses) for message in ip.get_links())
        by_index = {link.index: link for link in links}
        names = {index: link.name for index, link in by_index.items()}
        routes = tuple(route for family in _FAMILIES for route in _routes(ip, family, names))
    return Survey(links=links, routes=routes, by_index=by_index)


@contextmanager
def _socket() -> Iterator[Socket]:
    doing = "look at network interfaces"
    with kernel_errors(doing):
        try:
            with IPRoute() as ip:
                yield ip
        except NetlinkError as exc:
            raise kernel_error(doing, exc.code, os.strerror(exc.code)) from exc


def _addresses(ip: Socket) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for family in _FAMILIES:
        for message in ip.get_addr(family=family):
            address = message.get("local") or message.get("address")
            found.setdefault(message["index"], []).append(f"{address}/{message['prefixlen']}")
    return found


def _link(message: Message, addresses: dict[int, list[str]]) -> FoundLink:
    info = message.get("linkinfo")
    return FoundLink(
        index=int(message["index"]),
        name=str(message.get("ifname")),
        kind=str(info.get("kind") or "") if info else "",
        mac_address=str(message.get("address") or ""),
        mtu=int(message.get("mtu") or 0),
        is_up=message.get("state") == "up",
        peer=int(message.get("link") or 0),
        master=int(message.get("master") or 0),
        addresses=tuple(addresses.get(message["index"], ())),
    )


def _routes(ip: Socket, family: int, names: dict[int, str]) -> Iterator[FoundRoute]:
    for message in ip.get_routes(family=family, table=_MAIN):
        where = message.get("dst")
        destination = f"{where}/{message['dst_len']}" if where else "default"
        yield FoundRoute(
            destination=destination,
            interface=names.get(message.get("oif"), ""),
            gateway=str(message.get("gateway") or ""),
        )
