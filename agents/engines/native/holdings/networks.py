"""The network of a container: both ends of its cables, addresses, routes, ports."""

from collections.abc import Collection, Iterator
from ipaddress import ip_address
from pathlib import Path

from agents.linux import namespaces
from agents.linux.nftables.reading import read_forwards
from agents.linux.survey import FoundLink, Survey, survey
from agents.protocol.kernel import InterfaceHeld, PortHeld, RouteHeld


def survey_inside(pid: int) -> Survey:
    """Return what the network namespace of a process holds. Raises KernelError."""
    return namespaces.run_inside(Path(f"/proc/{pid}/ns/net"), survey)


def interfaces_of(inside: Survey, host: Survey) -> tuple[InterfaceHeld, ...]:
    """Return the interfaces of a container with their ends on the host."""
    return tuple(_interface(link, host) for link in inside.links)


def _interface(link: FoundLink, host: Survey) -> InterfaceHeld:
    end = host.by_index.get(link.peer) if link.kind == "veth" else None
    # An index is of its own namespace: this end must be bound to that one as well.
    if end is not None and (end.kind != "veth" or end.peer != link.index):
        end = None
    master = host.by_index.get(end.master) if end is not None else None
    return InterfaceHeld(
        name=link.name,
        index=link.index,
        kind=link.kind,
        mac_address=link.mac_address,
        mtu=link.mtu,
        is_up=link.is_up,
        addresses=link.addresses,
        host_name=end.name if end else "",
        host_index=end.index if end else 0,
        bridge=master.name if master else "",
    )


def routes_of(inside: Survey) -> tuple[RouteHeld, ...]:
    """Return the routes of a container."""
    return tuple(
        RouteHeld(destination=one.destination, interface=one.interface, gateway=one.gateway)
        for one in inside.routes
    )


def read_ports(table: str, addresses: Collection[str]) -> tuple[PortHeld, ...]:
    """Return the published ports that lead to one of ``addresses``."""
    return tuple(_ports(table, {ip_address(one) for one in addresses}))


def _ports(table: str, addresses: Collection[object]) -> Iterator[PortHeld]:
    for one in read_forwards(table):
        if ip_address(one.address) in addresses:
            yield PortHeld(
                protocol=one.protocol,
                host_port=one.host_port,
                address=one.address,
                port=one.port,
                host_ip=one.host_ip,
            )
