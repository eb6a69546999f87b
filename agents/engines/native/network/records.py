"""What the network half keeps on disk, and what it tells the container half."""

from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)
from typing import Literal

import msgspec

from agents.engines.specs import NetworkSpec, PortSpec
from agents.protocol.records import EndpointRecord, NetworkRecord, PortRecord

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
MACVLAN = "macvlan"


class NetworkFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One network, in ``<root>/networks/<id>.json``.

    ``asked`` is the spec as it came; files of former versions have ``asked_subnet`` and
    ``asked_gateway`` instead. ``bridge`` is "" for a macvlan, which has a ``parent``.
    """

    id: str
    name: str
    bridge: str
    subnet: str
    gateway: str
    subnet6: str = ""
    gateway6: str = ""
    driver: str = "bridge"
    parent: str = ""
    asked: NetworkSpec | None = None
    asked_subnet: str = ""
    asked_gateway: str = ""
    internal: bool = False
    labels: dict[str, str] = {}

    @property
    def spec(self) -> NetworkSpec:
        """The spec that it was made from."""
        return self.asked or NetworkSpec(
            name=self.name,
            subnet=self.asked_subnet,
            gateway=self.asked_gateway,
            internal=self.internal,
            labels=self.labels,
        )

    @property
    def network(self) -> IPv4Network:
        return IPv4Network(self.subnet)

    @property
    def network6(self) -> IPv6Network | None:
        return IPv6Network(self.subnet6) if self.subnet6 else None

    @property
    def gateway_address(self) -> IPv4Address:
        return IPv4Address(self.gateway)

    @property
    def gateway_addresses(self) -> tuple[Address, ...]:
        return tuple(ip_address(one) for one in (self.gateway, self.gateway6) if one)

    @property
    def gateway_interfaces(self) -> tuple[Interface, ...]:
        return tuple(self.interface(one) for one in self.gateway_addresses)

    def interface(self, address: Address) -> Interface:
        """Return an address of the network with its prefix length."""
        prefix = self.network if address.version == 4 else IPv6Network(self.subnet6)
        return ip_interface((str(address), prefix.prefixlen))

    def to_record(self) -> NetworkRecord:
        return NetworkRecord(
            id=self.id,
            name=self.name,
            driver=self.driver,
            subnet=self.subnet,
            gateway=self.gateway,
            subnet6=self.subnet6,
            gateway6=self.gateway6,
            ip_range=self.spec.ip_range,
            parent=self.parent,
            options=dict(self.spec.options),
            internal=self.internal,
            labels=self.labels,
        )


class EndpointFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A container's place on one network; ``names`` are all names it answers to there.

    ``link`` is the host's end of its cable.
    """

    network_id: str
    network: str
    link: str
    interface: str
    address: str
    mac_address: str
    address6: str = ""
    priority: int = 0
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(ip_address(one) for one in (self.address, self.address6) if one)


class PortFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A published port; ``host_ip`` "" is every address of this host of ``address``' family."""

    host_port: int
    container_port: int
    protocol: Literal["tcp", "udp"]
    address: str
    host_ip: str = ""

    @property
    def family(self) -> Literal[4, 6]:
        return 6 if ":" in self.address else 4

    def to_record(self) -> PortRecord:
        every = "::" if self.family == 6 else "0.0.0.0"  # noqa: S104 - nothing is bound to it
        return PortRecord(
            host_ip=self.host_ip or every,
            host_port=self.host_port,
            container_port=self.container_port,
            protocol=self.protocol,
        )


class AttachmentFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a container holds of networks, in ``<root>/networks/attachments/<id>.json``.

    ``namespace`` is "" until it is connected. ``dns`` are the servers that names of others
    are asked from, the host's when empty. ``asked_ports`` are the spec's.
    """

    container_id: str
    name: str
    namespace: str
    endpoints: tuple[EndpointFile, ...] = ()
    ports: tuple[PortFile, ...] = ()
    hostname: str = ""
    dns: tuple[str, ...] = ()
    asked_ports: tuple[PortSpec, ...] = ()


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """What ``Networks.attach`` did, for the container's record and its resolv.conf.

    ``nameservers`` is empty without a place on a bridge.
    """

    endpoints: tuple[EndpointRecord, ...] = ()
    ports: tuple[PortRecord, ...] = ()
    nameservers: tuple[str, ...] = ()
