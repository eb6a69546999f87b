"""The places of a container on its networks: names, addresses, interfaces."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from msgspec.structs import replace

from agents.engines.native.network.records import AttachmentFile, EndpointFile, NetworkFile
from agents.engines.native.network.subnets import (
    asked_address,
    link_name,
    mac_of,
    next_address,
)
from agents.engines.specs import EndpointSpec, PortSpec
from agents.errors import InvalidInputError
from agents.linux import netlink
from agents.linux.netlink import Cable
from agents.protocol.records import EndpointRecord

SHORT_ID = 12

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a container asks of its networks.

    ``namespace`` is the path that keeps its network namespace; to reserve, none is needed.
    It answers to its name, its hostname, its short id and each endpoint's aliases.
    """

    container_id: str
    name: str
    namespace: Path = Path()
    endpoints: tuple[EndpointSpec, ...] = ()
    ports: tuple[PortSpec, ...] = ()
    hostname: str = ""


def choose_endpoint(
    request: Request,
    number: int,
    network: NetworkFile,
    used: Collection[IPv4Address],
    last: IPv4Address | None,
) -> EndpointFile:
    """Return the ``number``-th endpoint of a request, with a free address.

    Raises ConflictError, InvalidInputError.
    """
    spec = request.endpoints[number]
    if spec.ipv4_address:
        address = asked_address(spec.ipv4_address, network, used)
    else:
        address = next_address(network, used, last)
    return EndpointFile(
        network_id=network.id,
        network=network.name,
        link=link_name("wv", request.container_id, network.id),
        interface=f"eth{number}",
        address=str(address),
        mac_address=_mac(spec) or mac_of(address),
        aliases=spec.aliases,
        names=_names(request, spec),
    )


def _mac(spec: EndpointSpec) -> str:
    mac = spec.mac_address.lower()
    if mac and not _MAC.fullmatch(mac):
        raise InvalidInputError(f"{spec.mac_address} is no MAC address", field="mac_address")
    return mac


def _names(request: Request, spec: EndpointSpec) -> tuple[str, ...]:
    short = request.container_id[:SHORT_ID]
    names = (request.name, request.hostname, *spec.aliases, short)
    for name in names:
        if name and not _NAME.fullmatch(name):
            raise InvalidInputError(f"{name!r} cannot be the name of a host", field="aliases")
    return tuple(dict.fromkeys(name for name in names if name))


def rename(attachment: AttachmentFile, name: str) -> AttachmentFile:
    """Return the attachment of a container that has another name; its aliases stay."""

    def renamed(endpoint: EndpointFile) -> EndpointFile:
        kept = (one for one in endpoint.names if one != attachment.name or one in endpoint.aliases)
        return replace(endpoint, names=tuple(dict.fromkeys((name, *kept))))

    places = tuple(renamed(endpoint) for endpoint in attachment.endpoints)
    return replace(attachment, name=name, endpoints=places)


def primary(
    endpoints: Iterable[EndpointFile], networks: Mapping[str, NetworkFile]
) -> EndpointFile | None:
    """Return the endpoint with the default route and the published ports: the first on a
    network that is not internal.
    """
    outward = (one for one in endpoints if not networks[one.network].internal)
    return next(outward, None)


def connect(
    attachment: AttachmentFile, endpoint: EndpointFile, networks: Mapping[str, NetworkFile]
) -> None:
    """Make the veth pair of an endpoint, in place of one that is there. Raises KernelError."""
    network = networks[endpoint.network]
    is_primary = primary(attachment.endpoints, networks) == endpoint
    cable = Cable(
        host_name=endpoint.link,
        bridge=network.bridge,
        name=endpoint.interface,
        mac_address=endpoint.mac_address,
        address=IPv4Interface((endpoint.address, network.network.prefixlen)),
        gateway=network.gateway_address if is_primary else None,
    )
    netlink.connect(cable, Path(attachment.namespace))


def to_record(endpoint: EndpointFile, network: NetworkFile) -> EndpointRecord:
    """Return the endpoint as it is told to the panel."""
    return EndpointRecord(
        network=endpoint.network,
        ipv4_address=endpoint.address,
        mac_address=endpoint.mac_address,
        gateway=network.gateway,
        aliases=endpoint.aliases,
    )
