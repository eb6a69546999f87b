"""The canonical form of a service or a network: what is compared, hashed and kept."""

import hashlib
from functools import cache

import msgspec

from agents.compose.model import Network, Part, Service

# What Compose leaves out of the hash: a change of these replaces no container.
_APART = ("build", "depends_on", "scale", "profiles", "pull_policy")


def service_spec(service: Service) -> str:
    """Return the service as JSON with sorted keys, without what replaces no container.

    Values at their default are left out, so a field that a later version adds changes no
    hash. It holds the environment's values: keep it as secret as those.
    """
    plain = _plain_fields(service)
    return _encode({key: value for key, value in plain.items() if key not in _APART})


def network_spec(network: Network) -> str:
    """Return a network as JSON with sorted keys and without defaults."""
    return _encode(_plain_fields(network))


def hash_spec(spec: str) -> str:
    """Return the SHA-256 of a canonical form, in hexadecimal."""
    return hashlib.sha256(spec.encode()).hexdigest()


def config_hash(service: Service) -> str:
    """Return the hash that the label ``com.docker.compose.config-hash`` carries."""
    return hash_spec(service_spec(service))


def _encode(plain: dict[str, object]) -> str:
    return msgspec.json.encode(plain, order="deterministic").decode()


@cache
def _defaults(kind: type[Part]) -> dict[str, object]:
    return {
        field.name: field.default if field.default_factory is msgspec.NODEFAULT else {}
        for field in msgspec.structs.fields(kind)
    }


def _plain_fields(part: Part) -> dict[str, object]:
    # By equality: msgspec's own omit_defaults goes by identity.
    values = {name: getattr(part, name) for name in part.__struct_fields__}
    defaults = _defaults(type(part))
    return {name: _plain(value) for name, value in values.items() if value != defaults[name]}


def _plain(value: object) -> object:
    if isinstance(value, Part):
        return _plain_fields(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
