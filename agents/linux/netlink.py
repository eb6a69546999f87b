"""Links, addresses and routes: the only place where the agent speaks netlink.

Every function opens its own socket (0.3 ms), so all may be called from any thread. Work
inside a namespace is done by a thread that enters it and opens its socket there.
"""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

from pyroute2 import Conntrack, IPRoute, NetlinkError
from pyroute2.conntrack import NFCTAttrTuple

from agents.linux import namespaces
from agents.linux.failures import kernel_error, kernel_errors

# pyroute2 has no types: its sockets and messages are Any, and go no further than this file.
Socket = Any
Message = Any

LOOPBACK = 1
LOOPBACK_NAME = "lo"


@dataclass(frozen=True, kw_only=True)
class Link:
    """A network interface of the agent's namespace. ``kind`` is "" for hardware."""

    index: int
    name: str
    kind: str
    mac_address: str
    is_up: bool


@dataclass(frozen=True, kw_only=True)
class Cable:
    """A veth pair to make: ``host_name`` on a bridge, ``name`` inside a namespace.

    ``gateway`` None gives no default route.
    """

    host_name: str
    bridge: str
    name: str
    mac_address: str
    address: IPv4Interface
    gateway: IPv4Address | None


@contextmanager
def _socket(doing: str, name: str = "") -> Iterator[Socket]:
    """Open a routing socket in the thread's namespace, and map what fails while it is open."""
    with kernel_errors(doing, name):
        try:
            with IPRoute() as ip:
                yield ip
        except NetlinkError as exc:
            raise kernel_error(doing, exc.code, os.strerror(exc.code), name) from exc


def list_links() -> tuple[Link, ...]:
    """Return all interfaces."""
    with _socket("list network interfaces") as ip:
        return tuple(_link(message) for message in ip.get_links())


def find_link(name: str) -> Link | None:
    """Return one interface, or None."""
    with _socket("look for the interface", name) as ip:
        index = _index(ip, name)
        return None if index is None else _link(next(iter(ip.link("get", index=index))))


def _link(message: Message) -> Link:
    info = message.get("linkinfo")
    return Link(
        index=int(message["index"]),
        name=str(message.get("ifname")),
        kind=str(info.get("kind") or "") if info else "",
        mac_address=str(message.get("address") or ""),
        is_up=message.get("state") == "up",
    )


def _index(ip: Socket, name: str) -> int | None:
    found = ip.link_lookup(ifname=name)
    return int(found[0]) if found else None


def create_bridge(name: str, address: IPv4Interface, mac_address: str) -> bool:
    """Make a bridge that is up and has one address; return whether it was not there before.

    Idempotent; undone when a step fails.

    The MAC address is fixed: a bridge without one takes the lowest of its ports, which
    changes as containers come and go, and neighbours would lose their gateway for a while.
    """
    with _socket("create the bridge", name) as ip:
        made = _index(ip, name) is None
        if made:
            ip.link("add", ifname=name, kind="bridge", address=mac_address)
        index = _index(ip, name)
        try:
            _add_address(ip, index, address)
            ip.link("set", index=index, state="up")
        except NetlinkError:
            if made:
                ip.link("del", index=index)
            raise
        return made


def _add_address(ip: Socket, index: int | None, address: IPv4Interface) -> None:
    try:
        ip.addr(
            "add",
            index=index,
            address=str(address.ip),
            prefixlen=address.network.prefixlen,
            broadcast=str(address.network.broadcast_address),
        )
    except NetlinkError as exc:
        if exc.code != errno.EEXIST:
            raise


def delete_link(name: str) -> None:
    """Remove an interface, and with one end of a veth pair the other. Idempotent."""
    with _socket("remove the interface", name) as ip:
        index = _index(ip, name)
        if index is None:
            return
        try:
            ip.link("del", index=index)
        except NetlinkError as exc:
            if exc.code != errno.ENODEV:
                raise


def connect(cable: Cable, namespace: Path) -> None:
    """Connect a namespace to a bridge by a veth pair, with address and default route.

    A pair of that name is replaced. Undone when a step fails. Blocks for about 3 ms.
    Raises KernelError.
    """
    delete_link(cable.host_name)
    with kernel_errors("open the network namespace", namespace):
        fd = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with ExitStack() as undo:
            undo.callback(delete_link, cable.host_name)
            _plug_in(cable, fd)
            namespaces.run_inside(namespace, lambda: _configure(cable))
            undo.pop_all()
    finally:
        os.close(fd)


def _plug_in(cable: Cable, namespace_fd: int) -> None:
    with _socket("connect to the bridge", cable.bridge) as ip:
        bridge = _index(ip, cable.bridge)
        if bridge is None:
            raise NetlinkError(errno.ENODEV)
        peer = {
            "ifname": cable.name,
            "net_ns_fd": namespace_fd,
            "address": cable.mac_address,
        }
        ip.link("add", ifname=cable.host_name, kind="veth", master=bridge, state="up", peer=peer)
        # Without hairpin mode a container cannot use its own published port: the bridge sends
        # nothing out where it came in.
        ip.brport("set", index=_index(ip, cable.host_name), mode=1)


def _configure(cable: Cable) -> None:
    with _socket("configure the interface", cable.name) as ip:
        ip.link("set", index=LOOPBACK, state="up")
        index = _index(ip, cable.name)
        _add_address(ip, index, cable.address)
        ip.link("set", index=index, state="up")
        if cable.gateway is not None:
            ip.route("replace", dst="default", gateway=str(cable.gateway), oif=index)


def bring_loopback_up(namespace: Path) -> None:
    """Switch on ``lo`` of a namespace; it has 127.0.0.1 from then on. Idempotent."""

    def inside() -> None:
        with _socket("switch on the interface", LOOPBACK_NAME) as ip:
            ip.link("set", index=LOOPBACK, state="up")

    namespaces.run_inside(namespace, inside)


def list_addresses() -> tuple[IPv4Interface, ...]:
    """Return all IPv4 addresses of this host with their prefix lengths."""
    with _socket("list addresses") as ip:
        return tuple(
            IPv4Interface((message.get("local") or message.get("address"), message["prefixlen"]))
            for message in ip.get_addr(family=2)
        )


def list_routes() -> tuple[IPv4Network, ...]:
    """Return the destinations of the main table's IPv4 routes, the default route left out."""
    with _socket("list routes") as ip:
        return tuple(
            IPv4Network((message.get("dst"), message["dst_len"]), strict=False)
            for message in ip.get_routes(family=2, table=254)
            if message["dst_len"]
        )


def forget_udp_flows(port: int) -> None:
    """Make the kernel forget where it sent packets for a UDP port of this host. Idempotent.

    It decides once for each flow and holds to that while packets come; without this a busy
    sender would for ever be heard by the container that had the port before, or by none.
    """
    wanted = NFCTAttrTuple(proto=socket.IPPROTO_UDP, dport=port)
    with kernel_errors("forget connections"), Conntrack() as tracking:
        for entry in list(tracking.dump_entries(tuple_orig=wanted)):
            _forget(tracking, entry)


def _forget(tracking: Socket, entry: Message) -> None:
    try:
        tracking.delete(entry)
    except NetlinkError as exc:
        if exc.code != errno.ENOENT:
            raise kernel_error("forget a connection", exc.code, os.strerror(exc.code)) from exc
