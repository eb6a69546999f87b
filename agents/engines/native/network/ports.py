"""Published ports: which are free, and who holds the others."""

import errno
import socket
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

from agents.engines.native.network.records import AttachmentFile, PortFile
from agents.engines.native.network.subnets import parse_address
from agents.engines.specs import PortSpec
from agents.errors import ConflictError, InvalidInputError, NotSupportedError
from agents.linux.failures import kernel_errors

ANY = "0.0.0.0"  # noqa: S104 - the wildcard is what is asked for

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_ATTEMPTS = 50


def choose_ports(
    specs: Iterable[PortSpec], address: IPv4Address, others: Collection[AttachmentFile]
) -> tuple[PortFile, ...]:
    """Return the ports to publish for a container at ``address``.

    Ports of other containers and of any program on this host count as taken; a
    ``host_port`` of 0 gets one that the kernel calls free.

    Raises:
        ConflictError: a port is taken; names the port, and its holder when known.
        InvalidInputError, NotSupportedError: the spec is no port, or not an IPv4 one.
    """
    chosen: list[PortFile] = []
    for spec in dict.fromkeys(specs):
        host_ip = _host_ip(spec)
        port = PortFile(
            host_ip=host_ip,
            host_port=spec.host_port,
            container_port=spec.container_port,
            protocol=spec.protocol,
            address=str(address),
        )
        chosen.append(_settle(port, chosen, others))
    return tuple(chosen)


def _host_ip(spec: PortSpec) -> str:
    if not 0 < spec.container_port < 65536 or not 0 <= spec.host_port < 65536:
        raise InvalidInputError(
            f"{spec.host_port}:{spec.container_port} is out of range for a port", field="ports"
        )
    if ":" in spec.host_ip:
        raise NotSupportedError(f"ports on the IPv6 address {spec.host_ip} cannot be published")
    if spec.host_ip in ("", ANY):
        return ""
    return str(parse_address(spec.host_ip, "ports"))


def _settle(port: PortFile, chosen: list[PortFile], others: Collection[AttachmentFile]) -> PortFile:
    if port.host_port:
        _refuse_taken(port, chosen, others)
        return port
    for _ in range(_ATTEMPTS):
        number = probe(port.protocol, port.host_ip or ANY, 0)
        candidate = PortFile(
            host_ip=port.host_ip,
            host_port=number,
            container_port=port.container_port,
            protocol=port.protocol,
            address=port.address,
        )
        if _holder_among(candidate, chosen, others) is None:
            return candidate
    raise ConflictError("no port of this host is free", field="ports")


def _refuse_taken(
    port: PortFile, chosen: list[PortFile], others: Collection[AttachmentFile]
) -> None:
    holder = _holder_among(port, chosen, others)
    if holder is not None:
        raise _taken(port, holder)
    try:
        probe(port.protocol, port.host_ip or ANY, port.host_port)
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
    same_port = (one.host_port, one.protocol) == (other.host_port, other.protocol)
    return same_port and (not one.host_ip or not other.host_ip or one.host_ip == other.host_ip)


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
    with socket.socket(socket.AF_INET, _KINDS[protocol]) as one:
        if protocol == "tcp":
            # Connections in TIME_WAIT are no listeners; with this only listeners count.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host_ip, port))
        number: int = one.getsockname()[1]
    return number


def find_listener(protocol: str, port: int) -> str:
    """Return "the program NAME (process N)" that has a port, or "" when that is not seen."""
    inodes = {f"socket:[{inode}]" for inode in _socket_inodes(protocol, port)}
    with kernel_errors("read", "/proc"):
        processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    for process in processes:
        if inodes and _has_any(process / "fd", inodes):
            return f"the program {_program(process)} (process {process.name})"
    return ""


def _socket_inodes(protocol: str, port: int) -> Iterator[str]:
    for table in (protocol, f"{protocol}6"):
        path = Path("/proc/thread-self/net") / table
        if not path.exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            fields = line.split()
            listens = protocol == "udp" or fields[3] == "0A"
            if listens and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _has_any(folder: Path, inodes: set[str]) -> bool:
    try:
        return any(str(entry.readlink()) in inodes for entry in folder.iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _program(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "?"
