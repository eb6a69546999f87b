"""The short form of a published port: ``[[host-ip:]host-port[-last]:]port[-last][/protocol]``."""

import ipaddress
import re

from agents.compose.errors import InvalidValueError
from agents.compose.model import Port, PortProtocol

_EXPECTED = '"80", "8080:80", "127.0.0.1:8080:80", "8000-8009:80-89" or "53:53/udp"'
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
MAX_RANGE = 4096


def parse_port(text: str) -> tuple[Port, ...]:
    """Return the ports that one short form stands for; a range gives one for each.

    Raises InvalidValueError.
    """
    rest, slash, protocol = text.partition("/")
    host_ip, published, target = _split(rest)
    targets = parse_range(target, "port")
    hosts = parse_range(published, "host port") if published else None
    name = _protocol(protocol if slash else "tcp")
    return tuple(_pair(targets, hosts, host_ip, name))


def parse_range(text: str, what: str) -> range:
    """Return ``80`` or ``80-89`` as a range of port numbers."""
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InvalidValueError(f'"{text}" is not a {what}', expected=_EXPECTED)
    first, last = int(found.group(1)), int(found.group(2) or found.group(1))
    if not (0 < first <= 65535 and 0 < last <= 65535):
        raise InvalidValueError(f'"{text}" is not a {what}', expected="a number from 1 to 65535")
    if last < first or last - first >= MAX_RANGE:
        raise InvalidValueError(f'"{text}" is not a range of ports', expected="first-last")
    return range(first, last + 1)


def check_host_ip(text: str) -> str:
    """Return the address without brackets; raises InvalidValueError if it is none."""
    address = text.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(address)
    except ValueError as exc:
        raise InvalidValueError(
            f'"{address}" is not an IP address', expected="like 127.0.0.1 or [::1]"
        ) from exc
    return address


def _split(text: str) -> tuple[str, str, str]:
    head, _, target = text.rpartition(":")
    if not head:
        return "", "", target
    host_ip, colon, published = head.rpartition(":")
    if not colon:
        return "", published, target
    return check_host_ip(host_ip), published, target


def _protocol(text: str) -> PortProtocol:
    match text.lower():
        case "tcp":
            return "tcp"
        case "udp":
            return "udp"
    raise InvalidValueError(f'"{text}" is not supported as a protocol', expected="tcp or udp")


def _pair(targets: range, hosts: range | None, host_ip: str, protocol: PortProtocol) -> list[Port]:
    if hosts is None:
        return [Port(target=port, host_ip=host_ip, protocol=protocol) for port in targets]
    if len(targets) == 1:
        last = hosts[-1] if len(hosts) > 1 else None
        port = Port(
            target=targets[0],
            published=hosts[0],
            published_last=last,
            host_ip=host_ip,
            protocol=protocol,
        )
        return [port]
    if len(targets) != len(hosts):
        raise InvalidValueError(
            f"{len(hosts)} host ports cannot stand for {len(targets)} ports",
            expected="two ranges of the same length",
        )
    return [
        Port(target=target, published=host, host_ip=host_ip, protocol=protocol)
        for target, host in zip(targets, hosts, strict=True)
    ]
