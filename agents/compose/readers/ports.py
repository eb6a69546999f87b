"""Published ports, short and long."""

from agents.compose.cursor import Cursor, Fields
from agents.compose.errors import InvalidValueError
from agents.compose.model import Port, PortProtocol
from agents.compose.ports import check_host_ip, parse_port, parse_range
from agents.compose.readers.tables import PORT


def read_ports(cursor: Cursor) -> tuple[tuple[Port, Cursor], ...]:
    """Read the list; each port comes with the place it is written at."""
    found = cursor.each(_read_item)
    return tuple(pair for pairs in found for pair in pairs)


def read_expose(cursor: Cursor) -> tuple[str, ...]:
    """Read ports that are told but not published."""
    return cursor.each(_read_exposed)


def _read_item(cursor: Cursor) -> tuple[tuple[Port, Cursor], ...]:
    cursor.scope.spend("ports", 1)
    ports = (_read_long(cursor),) if cursor.is_mapping else parse_port(cursor.word())
    cursor.scope.spend("ports", len(ports) - 1)
    return tuple((port, cursor) for port in ports)


def _read_long(cursor: Cursor) -> Port:
    fields = cursor.fields(PORT)
    if fields.get("target") is None:
        raise InvalidValueError('"target" is missing', expected="the port of the container")
    published = fields.read("published", _read_published, None)
    fields.read("mode", _check_mode, None)
    return Port(
        target=fields.read("target", _read_target, 1),
        published=published[0] if published else None,
        published_last=published[-1] if published and len(published) > 1 else None,
        host_ip=fields.read("host_ip", lambda at: check_host_ip(at.word()), ""),
        protocol=_read_protocol(fields),
    )


def _read_target(cursor: Cursor) -> int:
    ports = parse_range(cursor.word(), "port")
    if len(ports) > 1:
        raise InvalidValueError("A range is not possible here", expected="one port")
    return ports[0]


def _read_published(cursor: Cursor) -> range | None:
    text = cursor.text()
    return parse_range(text, "host port") if text not in ("", "0") else None


def _read_protocol(fields: Fields) -> PortProtocol:
    text = fields.read("protocol", Cursor.word, "tcp")
    if text == "udp":
        return "udp"
    if text != "tcp":
        raise InvalidValueError(f'"{text}" is not supported as a protocol', expected="tcp or udp")
    return "tcp"


def _check_mode(cursor: Cursor) -> None:
    if cursor.word() not in ("host", "ingress"):
        raise cursor.unexpected("host or ingress")


def _read_exposed(cursor: Cursor) -> str:
    text = cursor.word()
    parse_range(text.partition("/")[0], "port")
    return text
