"""Networks and volumes at the top of a file."""

import ipaddress

from agents.compose.cursor import Cursor, Fields
from agents.compose.errors import InvalidValueError
from agents.compose.model import Network, Subnet, Volume
from agents.compose.names import resource_name
from agents.compose.readers.pairs import read_labels
from agents.compose.readers.tables import EXTERNAL, IPAM, NETWORK, SUBNET, VOLUME


def read_network(cursor: Cursor, project: str) -> Network:
    """Read one network; its own options may be missing altogether."""
    key = cursor.key
    if cursor.is_null:
        return Network(key=key, name=resource_name(project, key))
    fields = cursor.fields(NETWORK)
    external, name = _read_identity(fields, key, project)
    if external:
        _ignore_options(fields, "driver ipam internal attachable labels")
        return Network(key=key, name=name, external=True)
    return Network(
        key=key,
        name=name,
        driver=fields.read("driver", _read_network_driver, "bridge"),
        internal=fields.read("internal", Cursor.boolean, False),
        attachable=fields.read("attachable", Cursor.boolean, False),
        subnets=fields.read("ipam", _read_ipam, ()),
        labels=fields.read("labels", read_labels, {}),
    )


def read_volume(cursor: Cursor, project: str) -> Volume:
    """Read one volume; its own options may be missing altogether."""
    key = cursor.key
    if cursor.is_null:
        return Volume(key=key, name=resource_name(project, key))
    fields = cursor.fields(VOLUME)
    external, name = _read_identity(fields, key, project)
    if external:
        _refuse_options(fields, "driver labels")
        return Volume(key=key, name=name, external=True)
    return Volume(
        key=key,
        name=name,
        driver=fields.read("driver", _read_volume_driver, "local"),
        labels=fields.read("labels", read_labels, {}),
    )


def _read_identity(fields: Fields, key: str, project: str) -> tuple[bool, str]:
    """Return whether it is external, and its real name."""
    own = fields.read("name", Cursor.word, "")
    external = fields.get("external")
    if external is None:
        return False, own or resource_name(project, key)
    if external.is_mapping:
        older = external.fields(EXTERNAL).read("name", Cursor.word, "")
        if own and older and own != older:
            external.error('"name" and "external.name" differ', hint='Use "name" only.')
        return True, own or older or key
    is_external = external.guard(Cursor.boolean, False)
    return is_external, own or (key if is_external else resource_name(project, key))


def _refuse_options(fields: Fields, options: str) -> None:
    for cursor in _present(fields, options):
        cursor.error(
            f'"{cursor.key}" cannot be set here: the file says that this exists already',
            hint=f'Remove "{cursor.key}" or "external".',
        )


def _ignore_options(fields: Fields, options: str) -> None:
    for cursor in _present(fields, options):
        cursor.warn(f'"{cursor.key}" is ignored: the file says that this exists already')


def _present(fields: Fields, options: str) -> list[Cursor]:
    found = (fields.get(option) for option in options.split())
    return [cursor for cursor in found if cursor is not None]


def _read_network_driver(cursor: Cursor) -> str:
    driver = cursor.word()
    if driver != "bridge":
        raise InvalidValueError(
            f'The network driver "{driver}" is not supported yet',
            expected="bridge",
            code="unsupported",
        )
    return driver


def _read_volume_driver(cursor: Cursor) -> str:
    driver = cursor.word()
    if driver != "local":
        raise InvalidValueError(
            f'The volume driver "{driver}" is not supported yet',
            expected="local",
            code="unsupported",
        )
    return driver


def _read_ipam(cursor: Cursor) -> tuple[Subnet, ...]:
    fields = cursor.fields(IPAM)
    driver = fields.read("driver", Cursor.word, "default")
    if driver != "default":
        message = f'The address manager "{driver}" is not supported yet'
        raise InvalidValueError(message, expected="default", code="unsupported")
    subnets = fields.read("config", lambda at: at.each(_read_subnet), ())
    if len(subnets) > 1:
        raise InvalidValueError("Only one subnet is supported yet", code="unsupported")
    return subnets


def _read_subnet(cursor: Cursor) -> Subnet:
    fields = cursor.fields(SUBNET)
    subnet = fields.read("subnet", _read_cidr, "")
    gateway = fields.read("gateway", Cursor.word, "")
    if not subnet:
        raise InvalidValueError('"subnet" is missing or wrong', expected="like 10.5.0.0/16")
    try:
        inside = not gateway or ipaddress.ip_address(gateway) in ipaddress.ip_network(subnet)
    except ValueError:
        inside = False
    if not inside:
        raise InvalidValueError(f'"{gateway}" is not an address of {subnet}')
    return Subnet(subnet=subnet, gateway=gateway)


def _read_cidr(cursor: Cursor) -> str:
    text = cursor.word()
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError as exc:
        raise InvalidValueError(
            f'"{text}" is not an IPv4 subnet', expected="like 10.5.0.0/16"
        ) from exc
