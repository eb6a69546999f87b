"""Published ports: which are free, and who holds the others."""

import errno
import socket
from collections.abc import Collection, Iterable, Iterator

from msgspec.structs import replace

from agents.engines.native.network.addresses import parse_address
from agents.engines.native.network.listeners import find_listener
from agents.engines.native.network.records import Address, AttachmentFile, PortFile
from agents.engines.specs import PortSpec
from agents.errors import ConflictError, InvalidInputError, NotSupportedError

ANY = "0.0.0.0"  # noqa: S104 - the wildcard is what is asked for
ANY6 = "::"
LOOPBACK6 = "::1"

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_ATTEMPTS = 50


def choose_ports(
    specs: Iterable[PortSpec], addresses: Collection[Address], others: Collection[AttachmentFile]
) -> tuple[PortFile, ...]:
    """Return the ports to publish for a container with these addresses, one of a family.

    A port without a ``host_ip`` is published for each family that the container has, under
    one number. Ports of other containers and of any program on this host count as taken; a
    ``host_port`` of 0 gets one that the kernel calls free, a range its first free one.

    Raises:
        ConflictError: a port is taken; names the port, and its holder when known.
        InvalidInputError: the spec is no port, or of a family that the container has not.
        NotSupportedError: it is on ::1.
    """
    chosen: list[PortFile] = []
    for spec in dict.fromkeys(specs):
        chosen += _settle(_places(spec, addresses), spec, chosen, others)
    return tuple(chosen)


def _places(spec: PortSpec, addresses: Collection[Address]) -> tuple[PortFile, ...]:
    _check_numbers(spec)
    host_ip = str(parse_address(spec.host_ip, "ports")) if spec.host_ip else ""
    if host_ip == LOOPBACK6:
        raise NotSupportedError(
            f"port {spec.container_port} cannot be published on ::1, as the kernel forwards"
            " nothing from there",
            hint="Publish it on 127.0.0.1.",
            field="ports",
        )
    family = (6 if ":" in host_ip else 4) if host_ip else None
    places = tuple(
        PortFile(
            host_ip="" if host_ip in (ANY, ANY6) else host_ip,
            host_port=spec.host_port,
            container_port=spec.container_port,
            protocol=spec.protocol,
            address=str(address),
        )
        for address in addresses
        if family in (None, address.version)
    )
    if not places:
        raise InvalidInputError(
            f"a port on {spec.host_ip} needs a network with IPv{family}",
            hint="Switch IPv6 on for the network (ipv6: true).",
            field="ports",
        )
    return places


def _check_numbers(spec: PortSpec) -> None:
    last = spec.host_port_end or spec.host_port
    if not 0 < spec.container_port < 65536 or not 0 <= spec.host_port <= last < 65536:
        raise InvalidInputError(
            f"{spec.host_port}:{spec.container_port} is out of range for a port", field="ports"
        )


def _settle(
    places: tuple[PortFile, ...],
    spec: PortSpec,
    chosen: list[PortFile],
    others: Collection[AttachmentFile],
) -> tuple[PortFile, ...]:
    if spec.host_port and spec.host_port_end <= spec.host_port:
        for port in places:
            _refuse_taken(port, chosen, others)
        return places
    for number in _candidates(places[0], spec):
        numbered = tuple(replace(port, host_port=number) for port in places)
        if all(_is_free(port, chosen, others) for port in numbered):
            return numbered
    if spec.host_port:
        text = f"no port of {spec.host_port}-{spec.host_port_end}/{spec.protocol} is free"
    else:
        text = "no port of this host is free"
    raise ConflictError(text, field="ports")


def _candidates(port: PortFile, spec: PortSpec) -> Iterator[int]:
    if spec.host_port:
        yield from range(spec.host_port, spec.host_port_end + 1)
        return
    for _ in range(_ATTEMPTS):
        yield probe(port.protocol, _bind_address(port), 0)


def _bind_address(port: PortFile) -> str:
    return port.host_ip or (ANY6 if port.family == 6 else ANY)


def _is_free(port: PortFile, chosen: list[PortFile], others: Collection[AttachmentFile]) -> bool:
    try:
        _refuse_taken(port, chosen, others)
    except ConflictError:
        return False
    return True


def _refuse_taken(
    port: PortFile, chosen: list[PortFile], others: Collection[AttachmentFile]
) -> None:
    holder = _holder_among(port, chosen, others)
    if holder is not None:
        raise _taken(port, holder)
    try:
        probe(port.protocol, _bind_address(port), port.host_port)
    except OSError as exc:
        if exc.errno == errno.EADDRNOTAVAIL:
            raise InvalidInputError(
                f"this host does not have the address {port.host_ip}", field="ports"
            ) from exc
        if exc.errno != errno.EADDRINUSE:
            raise
        raise _taken(port, find_listener(port.protocol, port.host_port)) from exc


def _holder_among(
    port: PortFile, chosen: list[PortFile], others: Collection[AttachmentFile]
) -> str | None:
    if any(_clash(port, other) for other in chosen):
        return "another port of the same container"
    for attachment in others:
        if any(_clash(port, other) for other in attachment.ports):
            return f"the container {attachment.name}"
    return None


def _clash(one: PortFile, other: PortFile) -> bool:
    mine, theirs = ((port.host_port, port.protocol, port.family) for port in (one, other))
    every = not one.host_ip or not other.host_ip
    return mine == theirs and (every or one.host_ip == other.host_ip)


def _taken(port: PortFile, holder: str) -> ConflictError:
    by = f" by {holder}" if holder else ""
    return ConflictError(
        f"port {port.host_port}/{port.protocol} is in use{by}",
        hint="Publish another port, or stop what uses this one.",
        field="ports",
    )


def probe(protocol: str, host_ip: str, port: int) -> int:
    """Bind a port for an instant and return its number; 0 lets the kernel choose.

    Raises OSError: EADDRINUSE when a program listens there.
    """
    family = socket.AF_INET6 if ":" in host_ip else socket.AF_INET
    with socket.socket(family, _KINDS[protocol]) as one:
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if protocol == "tcp":
            # Connections in TIME_WAIT are no listeners; with this only listeners count.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host_ip, port))
        number: int = one.getsockname()[1]
    return number
