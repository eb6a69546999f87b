"""A service's networks, its mode, and the names it knows."""

import ipaddress

from agents.compose.cursor import Cursor
from agents.compose.errors import InvalidValueError
from agents.compose.model import Attachment, NetworkMode
from agents.compose.readers.pairs import read_list
from agents.compose.readers.tables import ATTACHMENT


def read_attachments(cursor: Cursor) -> tuple[Attachment, ...]:
    """Read ``networks``: a list of keys, or a mapping to options."""
    if cursor.is_list:
        return cursor.each(lambda item: Attachment(network=item.word()))
    return cursor.each_entry(_read_attachment, expected="a list or a mapping")


def read_network_mode(cursor: Cursor) -> NetworkMode:
    """Read ``network_mode``; "bridge" is what a service has anyway.

    A service that shares another one's network needs that one to run.
    """
    match cursor.word():
        case "none":
            return "none"
        case "host":
            return "host"
        case "bridge":
            return ""
        case text if text.startswith(("service:", "container:")):
            if text.partition(":")[2]:
                return text
    raise cursor.unexpected("none, host, bridge, service:<name> or container:<name>")


def read_extra_hosts(cursor: Cursor) -> dict[str, str]:
    """Read ``extra_hosts``: ``name=address`` or ``name:address``, or a mapping."""
    if cursor.is_mapping:
        entries = cursor.entries().items()
        return {name: value.guard(_read_host_address, "") for name, value in entries}
    return dict(cursor.each(_read_host))


def _read_host_address(cursor: Cursor) -> str:
    return read_address(cursor.word())


def read_address(text: str) -> str:
    """Return an IP address; raises InvalidValueError."""
    if text == "host-gateway":
        raise InvalidValueError(
            '"host-gateway" is not supported yet', expected="an IP address", code="unsupported"
        )
    address = text.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(address)
    except ValueError as exc:
        raise InvalidValueError(f'"{text}" is not an IP address', expected="like 10.0.0.1") from exc
    return address


def _read_host(cursor: Cursor) -> tuple[str, str]:
    text = cursor.word()
    name, separator, address = text.partition("=")
    if not separator:
        name, separator, address = text.partition(":")
    if not (name and address):
        raise InvalidValueError(f'"{text}" is not a name and an address', expected="name:address")
    return name, read_address(address)


def _read_attachment(cursor: Cursor) -> Attachment:
    if cursor.is_null:
        return Attachment(network=cursor.key)
    fields = cursor.fields(ATTACHMENT)
    return Attachment(
        network=cursor.key,
        aliases=fields.read("aliases", read_list, ()),
        ipv4_address=fields.read("ipv4_address", _read_ipv4, ""),
        mac_address=fields.read("mac_address", Cursor.word, ""),
        ipv6_address=fields.read("ipv6_address", _read_ipv6, ""),
        priority=fields.read("priority", Cursor.integer, 0),
        gateway_priority=fields.read("gw_priority", Cursor.integer, 0),
    )


def _read_ipv6(cursor: Cursor) -> str:
    text = cursor.word()
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError as exc:
        raise InvalidValueError(
            f'"{text}" is not an IPv6 address', expected="like fd00::5"
        ) from exc


def _read_ipv4(cursor: Cursor) -> str:
    text = cursor.word()
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as exc:
        raise InvalidValueError(
            f'"{text}" is not an IPv4 address', expected="like 10.0.0.5"
        ) from exc
