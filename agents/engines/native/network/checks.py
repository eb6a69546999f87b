"""What is refused before anything is made."""

from agents.engines.native.network.endpoints import Request
from agents.engines.native.network.records import NetworkFile
from agents.engines.specs import NetworkSpec
from agents.errors import ConflictError, InvalidInputError


def refuse_twice(request: Request) -> None:
    """Raise InvalidInputError for a container that names one network twice."""
    names = [endpoint.network for endpoint in request.endpoints]
    if len(set(names)) < len(names):
        raise InvalidInputError(f"{request.name} is on the same network twice", field="networks")


def refuse_other_spec(known: NetworkFile, spec: NetworkSpec) -> None:
    """Raise ConflictError unless a network is as ``spec`` wants it."""
    pairs = {
        "subnet": (known.asked_subnet, spec.subnet),
        "gateway": (known.asked_gateway, spec.gateway),
        "internal": (known.internal, spec.internal),
        "labels": (known.labels, dict(spec.labels)),
    }
    for field, (old, new) in pairs.items():
        if old != new:
            raise ConflictError(
                f"the network {spec.name} is there with another {field}",
                hint="Remove it first, or choose another name.",
                field=field,
            )
