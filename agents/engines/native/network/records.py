"""What the network half keeps on disk, and what it tells the container half."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Literal

import msgspec

from agents.protocol.records import EndpointRecord, NetworkRecord, PortRecord


class NetworkFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One network, in ``<root>/networks/<id>.json``.

    ``asked_subnet`` and ``asked_gateway`` are the spec's, "" where we chose.
    """

    id: str
    name: str
    bridge: str
    subnet: str
    gateway: str
    asked_subnet: str = ""
    asked_gateway: str = ""
    internal: bool = False
    labels: dict[str, str] = {}

    @property
    def network(self) -> IPv4Network:
        return IPv4Network(self.subnet)

    @property
    def gateway_address(self) -> IPv4Address:
        return IPv4Address(self.gateway)

    @property
    def gateway_interface(self) -> IPv4Interface:
        return IPv4Interface((self.gateway, self.network.prefixlen))

    def to_record(self) -> NetworkRecord:
        return NetworkRecord(
            id=self.id,
            name=self.name,
            driver="bridge",
            subnet=self.subnet,
            gateway=self.gateway,
            internal=self.internal,
            labels=self.labels,
        )


class EndpointFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A container's place on one network; ``names`` are all names it answers to there."""

    network_id: str
    network: str
    link: str
    interface: str
    address: str
    mac_address: str
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class PortFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A published port; ``host_ip`` "" is every address of this host."""

    host_port: int
    container_port: int
    protocol: Literal["tcp", "udp"]
    address: str
    host_ip: str = ""

    def to_record(self) -> PortRecord:
        return PortRecord(
            host_ip=self.host_ip or "0.0.0.0",  # noqa: S104 - a record, nothing is bound to it
            host_port=self.host_port,
            container_port=self.container_port,
            protocol=self.protocol,
        )


class AttachmentFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a container holds of networks, in ``<root>/networks/attachments/<id>.json``."""

    container_id: str
    name: str
    namespace: str
    endpoints: tuple[EndpointFile, ...] = ()
    ports: tuple[PortFile, ...] = ()


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """What ``Networks.attach`` did, for the container's record and its resolv.conf.

    ``nameservers`` is empty without an endpoint.
    """

    endpoints: tuple[EndpointRecord, ...] = ()
    ports: tuple[PortRecord, ...] = ()
    nameservers: tuple[str, ...] = ()
