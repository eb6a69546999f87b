"""Links, addresses and routes: the only place where the agent speaks netlink.

Every function opens its own socket (0.3 ms), so all may be called from any thread. Work
inside a namespace is done by a thread that enters it and opens its socket there.
"""

import errno
import os
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_interface,
    ip_network,
)
from pathlib import Path
from typing import Any

from pyroute2.conntrack import Conntrack, NFCTAttrTuple
from pyroute2.iproute import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from agents.linux import namespaces
from agents.linux.failures import kernel_error, kernel_errors
from agents.linux.sysctls import has_sysctl, write_sysctl

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network

# pyroute2 has no types: its sockets and messages are Any, and go no further than this file.
Socket = Any
Message = Any

LOOPBACK = 1
LOOPBACK_NAME = "lo"

# linux/if_addr.h: the address is used at once, nobody is asked whether he has it already.
_NO_DETECTION = 0x02
_MAIN = 254
# The group of interfaces that are about to be removed together; see ip-link(8).
DOOMED = 0x57505743


@dataclass(frozen=True, kw_only=True)
class Link:
    """A network interface of the agent's namespace. ``kind`` is "" for hardware."""

    index: int
    name: str
    kind: str
    mac_address: str
    is_up: bool


@dataclass(frozen=True, kw_only=True)
class Plug:
    """The end of a link inside a namespace: ``name``, its addresses and default routes.

    ``mtu`` 0 is the kernel's choice. Without an IPv6 address it has no IPv6 at all.
    """

    name: str
    mac_address: str
    addresses: tuple[Interface, ...]
    gateways: tuple[Address, ...] = ()
    mtu: int = 0


@dataclass(frozen=True, kw_only=True)
class Cable(Plug):
    """A veth pair to make: ``host_name`` on a bridge, the plug inside a namespace.

    An ``isolated`` one reaches this host only, and none of the bridge's other cables.
    """

    host_name: str
    bridge: str
    isolated: bool = False


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of this host, with the interface it leads to ("" for none) and its table."""

    network: Network
    interface: str
    table: int


@dataclass(frozen=True, kw_only=True)
class HostAddress:
    """An address of this host with its prefix length, and the interface that has it."""

    address: Interface
    interface: str


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
        index = _index(name)
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


def _index(name: str) -> int | None:
    """Return an interface of the thread's namespace by its name."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


def create_bridge(
    name: str, addresses: Iterable[Interface], mac_address: str, mtu: int = 0
) -> bool:
    """Make a bridge that is up and has these addresses; return whether it was not there before.

    Idempotent; undone when a step fails.

    The MAC address is fixed: a bridge without one takes the lowest of its ports, which
    changes as containers come and go, and neighbours would lose their gateway for a while.
    """
    with _socket("create the bridge", name) as ip:
        made = _index(name) is None
        if made:
            ip.link("add", ifname=name, kind="bridge", address=mac_address, **_mtu(mtu))
        try:
            _configure_link(ip, name, tuple(addresses))
        except (NetlinkError, OSError):
            if made:
                ip.link("del", index=_index(name))
            raise
        return made


def _mtu(mtu: int) -> dict[str, int]:
    return {"mtu": mtu} if mtu else {}


def _configure_link(ip: Socket, name: str, addresses: Collection[Interface]) -> None:
    index = _index(name)
    if index is None:
        raise NetlinkError(errno.ENODEV)
    _choose_ipv6(name, wanted=any(one.version == 6 for one in addresses))
    for address in addresses:
        _add_address(ip, index, address)
    ip.link("set", index=index, state="up")


def _choose_ipv6(name: str, *, wanted: bool) -> None:
    """Switch IPv6 on or off for an interface, always without what makes it wait or guess."""
    folder = f"net/ipv6/conf/{name}"
    if not has_sysctl(folder):
        if wanted:
            raise OSError(errno.EAFNOSUPPORT, "this kernel has no IPv6")
        return
    for setting in ("accept_ra", "autoconf", "accept_dad"):
        write_sysctl(f"{folder}/{setting}", "0")
    write_sysctl(f"{folder}/disable_ipv6", "0" if wanted else "1")


def _add_address(ip: Socket, index: int, address: Interface) -> None:
    prefix = address.network
    more: dict[str, object] = (
        {"broadcast": str(prefix.broadcast_address)}
        if prefix.version == 4
        else {"family": socket.AF_INET6, "flags": _NO_DETECTION}
    )
    try:
        ip.addr("add", index=index, address=str(address.ip), prefixlen=prefix.prefixlen, **more)
    except NetlinkError as exc:
        if exc.code != errno.EEXIST:
            raise


def delete_link(name: str) -> None:
    """Remove an interface, and with one end of a veth pair the other. Idempotent."""
    delete_links((name,))


def delete_links(names: Iterable[str]) -> None:
    """Remove interfaces, all in the time of one (some 15 ms). Idempotent."""
    indexes = [index for index in map(_index, names) if index is not None]
    if not indexes:
        return
    with _socket("remove interfaces") as ip:
        for index in indexes:
            _tolerate(errno.ENODEV, ip.link, "set", index=index, group=DOOMED)
        _tolerate(errno.ENODEV, ip.link, "del", group=DOOMED)


def finish_deleting() -> None:
    """Remove what was to be removed when an agent was killed; else it would look whole."""
    with _socket("remove interfaces") as ip:
        _tolerate(errno.ENODEV, ip.link, "del", group=DOOMED)


def _tolerate(code: int, call: Callable[..., object], *args: object, **options: object) -> None:
    try:
        call(*args, **options)
    except NetlinkError as exc:
        if exc.code != code:
            raise


def connect(cable: Cable, namespace: Path) -> None:
    """Connect a namespace to a bridge by a veth pair, with addresses and default routes.

    A pair of that name is replaced. Undone when a step fails. Blocks for about 3 ms.
    Raises KernelError.
    """
    delete_link(cable.host_name)
    with _opened(namespace) as fd, ExitStack() as undo:
        undo.callback(delete_link, cable.host_name)
        _plug_in(cable, fd)
        namespaces.run_inside(namespace, lambda: _configure(cable))
        undo.pop_all()


@contextmanager
def _opened(namespace: Path) -> Iterator[int]:
    with kernel_errors("open the network namespace", namespace):
        fd = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _plug_in(cable: Cable, namespace_fd: int) -> None:
    with _socket("connect to the bridge", cable.bridge) as ip:
        bridge = _index(cable.bridge)
        if bridge is None:
            raise NetlinkError(errno.ENODEV)
        more = _mtu(cable.mtu)
        peer = {
            "ifname": cable.name,
            "net_ns_fd": namespace_fd,
            "address": cable.mac_address,
            **more,
        }
        name = cable.host_name
        ip.link("add", ifname=name, kind="veth", master=bridge, state="up", peer=peer, **more)
        # Without hairpin mode a container cannot use its own published port: the bridge sends
        # nothing out where it came in.
        ip.brport("set", index=_index(name), mode=1, isolated=int(cable.isolated))


def connect_macvlan(plug: Plug, parent: str, mode: str, namespace: Path) -> None:
    """Give a namespace an interface of its own MAC address on an interface of this host.

    ``mode`` is one of ip-link(8): bridge, private, vepa, passthru. One of that name in the
    namespace is replaced. Undone when a step fails. Raises KernelError.
    """
    delete_inside(plug.name, namespace)
    with _opened(namespace) as fd, ExitStack() as undo:
        undo.callback(delete_inside, plug.name, namespace)
        with _socket("make a macvlan on", parent) as ip:
            ip.link(
                "add",
                ifname=plug.name,
                kind="macvlan",
                link=_index(parent),
                macvlan_mode=mode,
                address=plug.mac_address,
                net_ns_fd=fd,
                **_mtu(plug.mtu),
            )
        namespaces.run_inside(namespace, lambda: _configure(plug))
        undo.pop_all()


def _configure(plug: Plug) -> None:
    with _socket("configure the interface", plug.name) as ip:
        ip.link("set", index=LOOPBACK, state="up")
        _configure_link(ip, plug.name, plug.addresses)
        _set_gateways(ip, plug.name, plug.gateways)


def _set_gateways(ip: Socket, name: str, gateways: Iterable[Address]) -> None:
    for gateway in gateways:
        family = socket.AF_INET if gateway.version == 4 else socket.AF_INET6
        ip.route("replace", dst="default", gateway=str(gateway), oif=_index(name), family=family)


def set_default_routes(routes: Iterable[tuple[str, Address]], namespace: Path) -> None:
    """Let a namespace have exactly these default routes: interface and gateway. Idempotent."""

    def inside() -> None:
        with _socket("set the default route") as ip:
            for family in (socket.AF_INET, socket.AF_INET6):
                ip.flush_routes(family=family, table=_MAIN, dst_len=0)
            for name, gateway in routes:
                _set_gateways(ip, name, (gateway,))

    namespaces.run_inside(namespace, inside)


def delete_inside(name: str, namespace: Path) -> None:
    """Remove an interface of a namespace. Idempotent."""
    namespaces.run_inside(namespace, lambda: delete_link(name))


def bring_loopback_up(namespace: Path) -> None:
    """Switch on ``lo`` of a namespace; it has 127.0.0.1 from then on. Idempotent."""

    def inside() -> None:
        with _socket("switch on the interface", LOOPBACK_NAME) as ip:
            ip.link("set", index=LOOPBACK, state="up")

    namespaces.run_inside(namespace, inside)


def list_addresses() -> tuple[HostAddress, ...]:
    """Return all addresses of this host, of both families."""
    with _socket("list addresses") as ip:
        names = {message["index"]: str(message.get("ifname")) for message in ip.get_links()}
        return tuple(
            HostAddress(
                address=ip_interface(
                    (message.get("local") or message.get("address"), message["prefixlen"])
                ),
                interface=names.get(message["index"], ""),
            )
            for family in (socket.AF_INET, socket.AF_INET6)
            for message in ip.get_addr(family=family)
        )


def list_routes() -> tuple[Route, ...]:
    """Return the routes of all tables and both families, default routes left out."""
    with _socket("list routes") as ip:
        names = {message["index"]: str(message.get("ifname")) for message in ip.get_links()}
        return tuple(
            Route(
                network=ip_network((message.get("dst"), message["dst_len"]), strict=False),
                interface=names.get(message.get("oif"), ""),
                table=int(message.get("table") or _MAIN),
            )
            for family in (socket.AF_INET, socket.AF_INET6)
            for message in ip.get_routes(family=family)
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
