"""The canonical form of a service or a network: what is compared, hashed and kept."""

import hashlib

import msgspec

from agents.compose.model import Network, Service

# What Compose leaves out of the hash: a change of these replaces no container.
_APART = ("build", "depends_on", "scale", "profiles", "pull_policy")
_DEFAULTS = msgspec.to_builtins(Service(name=""))


def service_spec(service: Service) -> str:
    """Return the service as JSON with sorted keys, without what replaces no container.

    The same service gives the same text on every host and in every version of this package
    that knows its fields. It holds the environment's values: keep it as secret as those.
    """
    plain = msgspec.to_builtins(service)
    kept = {
        key: value
        for key, value in plain.items()
        if key not in _APART and value != _DEFAULTS.get(key)
    }
    return msgspec.json.encode(kept, order="deterministic").decode()


def network_spec(network: Network) -> str:
    """Return a network as JSON with sorted keys."""
    return msgspec.json.encode(network, order="deterministic").decode()


def hash_spec(spec: str) -> str:
    """Return the SHA-256 of a canonical form, in hexadecimal."""
    return hashlib.sha256(spec.encode()).hexdigest()


def config_hash(service: Service) -> str:
    """Return the hash that the label ``com.docker.compose.config-hash`` carries."""
    return hash_spec(service_spec(service))
