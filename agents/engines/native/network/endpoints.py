"""The places of a container on its networks: names, addresses, interfaces."""

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from agents.engines.native.network.addresses import (
    Family,
    asked_address,
    link_name,
    mac_of,
    next_address,
    parse_address,
)
from agents.engines.native.network.options import read_options
from agents.engines.native.network.records import (
    MACVLAN,
    Address,
    AttachmentFile,
    EndpointFile,
    NetworkFile,
)
from agents.engines.specs import EndpointSpec, PortSpec
from agents.errors import InvalidInputError
from agents.protocol.records import EndpointRecord

SHORT_ID = 12

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
# RFC 1035, 2.3.4, as text.
_LONGEST_NAME = 253
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a container asks of its networks.

    ``namespace`` is the path that keeps its network namespace; to reserve, none is needed.
    It answers to its name, its hostname, its short id and each endpoint's aliases. ``dns``
    are name servers to ask in place of the host's.
    """

    container_id: str
    name: str
    namespace: Path = Path()
    endpoints: tuple[EndpointSpec, ...] = ()
    ports: tuple[PortSpec, ...] = ()
    hostname: str = ""
    dns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Use:
    """The addresses of a network in use, and those given out last, of each family."""

    used: Collection[Address]
    last: Mapping[Family, Address]


def check_dns(servers: Iterable[str]) -> tuple[str, ...]:
    """Return name servers as addresses. Raises InvalidInputError."""
    return tuple(str(parse_address(one, "dns")) for one in servers)


def choose_endpoint(
    whose: AttachmentFile, spec: EndpointSpec, network: NetworkFile, use: Use
) -> EndpointFile:
    """Return another endpoint of a container, with free addresses and a free interface.

    Raises ConflictError, InvalidInputError.
    """
    address = _address(spec.ipv4_address, network, use, 4)
    address6 = _address(spec.ipv6_address, network, use, 6)
    return EndpointFile(
        network_id=network.id,
        network=network.name,
        link=link_name("wv", whose.container_id, network.id),
        interface=_free_interface(whose, read_options(network.spec).prefix),
        address=str(address),
        address6=str(address6 or ""),
        mac_address=_mac(spec) or (mac_of(address) if address else ""),
        priority=spec.gateway_priority,
        aliases=spec.aliases,
        names=_names(whose, spec),
    )


def check_endpoint(spec: EndpointSpec, network: NetworkFile) -> None:
    """Raise InvalidInputError for a place that a network can give to nobody."""
    families: tuple[tuple[str, Family], ...] = ((spec.ipv4_address, 4), (spec.ipv6_address, 6))
    for text, family in families:
        if text:
            asked_address(text, network, (), family)
    _mac(spec)
    _check_names(spec.aliases)


def _address(text: str, network: NetworkFile, use: Use, family: Family) -> Address | None:
    if text:
        return asked_address(text, network, use.used, family)
    return next_address(network, use.used, use.last.get(family), family)


def _free_interface(whose: AttachmentFile, prefix: str) -> str:
    taken = {one.interface for one in whose.endpoints}
    names = (f"{prefix}{number}" for number in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


def _mac(spec: EndpointSpec) -> str:
    mac = spec.mac_address.lower()
    if mac and not _MAC.fullmatch(mac):
        raise InvalidInputError(f"{spec.mac_address} is no MAC address", field="mac_address")
    return mac


def _names(whose: AttachmentFile, spec: EndpointSpec) -> tuple[str, ...]:
    short = whose.container_id[:SHORT_ID]
    names = (whose.name, whose.hostname, *spec.aliases, short)
    _check_names(names)
    return tuple(dict.fromkeys(name for name in names if name))


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name and not (_NAME.fullmatch(name) and len(name) <= _LONGEST_NAME):
            raise InvalidInputError(f"{name[:300]!r} cannot be the name of a host", field="aliases")


def rename(attachment: AttachmentFile, name: str) -> AttachmentFile:
    """Return the attachment of a container that has another name; its aliases stay."""

    def renamed(endpoint: EndpointFile) -> EndpointFile:
        kept = (one for one in endpoint.names if one != attachment.name or one in endpoint.aliases)
        return replace(endpoint, names=tuple(dict.fromkeys((name, *kept))))

    places = tuple(renamed(endpoint) for endpoint in attachment.endpoints)
    return replace(attachment, name=name, endpoints=places)


Networks = Mapping[str, NetworkFile]


def _by_priority(places: Iterable[EndpointFile]) -> list[EndpointFile]:
    return sorted(places, key=lambda one: -one.priority)


def gateways(places: Iterable[EndpointFile], networks: Networks) -> dict[Address, EndpointFile]:
    """Return the default gateways, one for each family, with the endpoint that leads there.

    They are those of the endpoint with the greatest priority, and among equals of the first,
    on a network that is not internal; bridges go before macvlans.
    """
    outward = [one for one in places if not networks[one.network].internal]
    outward.sort(key=lambda one: networks[one.network].driver == MACVLAN)
    chosen: dict[Family, tuple[Address, EndpointFile]] = {}
    for endpoint in _by_priority(outward):
        for gateway in networks[endpoint.network].gateway_addresses:
            chosen.setdefault(gateway.version, (gateway, endpoint))
    return dict(chosen.values())


def published(places: Iterable[EndpointFile], networks: Networks) -> dict[Family, EndpointFile]:
    """Return the endpoint that ports are published to, for each family."""
    found: dict[Family, EndpointFile] = {}
    for gateway, endpoint in gateways(_on_bridges(places, networks), networks).items():
        found[gateway.version] = endpoint
    return found


def _on_bridges(places: Iterable[EndpointFile], networks: Networks) -> tuple[EndpointFile, ...]:
    return tuple(one for one in places if networks[one.network].bridge)


def default_host_ip(network: NetworkFile) -> str:
    """Return where a network publishes ports that name no address of the host, "" for all."""
    return read_options(network.spec).host_ip


def at_home(port: PortSpec, host_ip: str) -> PortSpec:
    """Return a port with the address of the host that it has by default."""
    return port if port.host_ip else dataclasses.replace(port, host_ip=host_ip)


def asking(attachment: AttachmentFile, networks: Networks) -> EndpointFile | None:
    """Return the endpoint by which a container asks for names: its first on a bridge."""
    return next(iter(_on_bridges(attachment.endpoints, networks)), None)


def to_record(endpoint: EndpointFile, network: NetworkFile) -> EndpointRecord:
    """Return the endpoint as it is told to the panel."""
    return EndpointRecord(
        network=endpoint.network,
        ipv4_address=endpoint.address,
        ipv6_address=endpoint.address6,
        mac_address=endpoint.mac_address,
        gateway=network.gateway,
        gateway6=network.gateway6,
        interface=endpoint.interface,
        aliases=endpoint.aliases,
    )
