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
        _ignore_options(fields, "driver driver_opts enable_ipv6 ipam internal attachable labels")
        return Network(key=key, name=name, external=True)
    return Network(
        key=key,
        name=name,
        driver=fields.read("driver", _read_network_driver, "bridge"),
        internal=fields.read("internal", Cursor.boolean, False),
        attachable=fields.read("attachable", Cursor.boolean, False),
        ipv6=fields.read("enable_ipv6", Cursor.boolean, False),
        options=fields.read("driver_opts", read_labels, {}),
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
        _refuse_options(fields, "driver driver_opts labels")
        return Volume(key=key, name=name, external=True)
    return Volume(
        key=key,
        name=name,
        driver=fields.read("driver", _read_volume_driver, "local"),
        options=fields.read("driver_opts", _read_volume_options, {}),
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
    if driver not in ("bridge", "macvlan"):
        raise InvalidValueError(
            f'The network driver "{driver}" is not supported yet',
            expected="bridge or macvlan",
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
    families = [ipaddress.ip_network(one.subnet).version for one in subnets]
    if len(set(families)) < len(families):
        raise InvalidValueError("Only one subnet of each family is supported", code="unsupported")
    return subnets


def _read_subnet(cursor: Cursor) -> Subnet:
    fields = cursor.fields(SUBNET)
    subnet = fields.read("subnet", _read_cidr, "")
    gateway = fields.read("gateway", Cursor.word, "")
    given_from = fields.read("ip_range", _read_cidr, "")
    if not subnet:
        raise InvalidValueError('"subnet" is missing or wrong', expected="like 10.5.0.0/16")
    if gateway and not _is_within(gateway, subnet):
        raise InvalidValueError(f'"{gateway}" is not an address of {subnet}')
    if given_from and not _is_within(given_from.partition("/")[0], subnet):
        raise InvalidValueError(f'"{given_from}" is not a part of {subnet}')
    return Subnet(subnet=subnet, gateway=gateway, ip_range=given_from)


def _is_within(address: str, subnet: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(subnet)
    except ValueError:
        return False


def _read_volume_options(cursor: Cursor) -> dict[str, str]:
    """Read what the local driver takes: ``type``, ``device`` and ``o`` of mount(8)."""
    options = read_labels(cursor)
    for name in options:
        if name not in ("type", "device", "o"):
            cursor.find(name).error(f'"{name}" is not known', expected="type, device or o")
    return options


def _read_cidr(cursor: Cursor) -> str:
    text = cursor.word()
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as exc:
        raise InvalidValueError(
            f'"{text}" is not a subnet', expected="like 10.5.0.0/16 or fd00:5::/64"
        ) from exc
