"""What is refused before anything is made."""

from collections.abc import Iterable
from dataclasses import fields
from ipaddress import ip_address

from agents.engines.native.network import declared
from agents.engines.native.network.endpoints import Request
from agents.engines.native.network.records import AttachmentFile, NetworkFile
from agents.engines.specs import EndpointSpec, NetworkSpec
from agents.errors import ConflictError, InvalidInputError


def refuse_twice(request: Request) -> None:
    """Raise InvalidInputError for a container that names one network twice."""
    names = [endpoint.network for endpoint in request.endpoints]
    if len(set(names)) < len(names):
        raise InvalidInputError(f"{request.name} is on the same network twice", field="networks")


def refuse_other_spec(known: NetworkFile, spec: NetworkSpec) -> None:
    """Raise ConflictError unless a network is as ``spec`` wants it."""
    for field in (one.name for one in fields(NetworkSpec)):
        if getattr(known.spec, field) != getattr(spec, field):
            raise ConflictError(
                f"the network {spec.name} is there with another {field}",
                hint="Remove it first, or choose another name.",
                field=field,
            )


def refuse_while_used(network: NetworkFile, attachments: Iterable[AttachmentFile]) -> None:
    """Raise ConflictError while containers are on a network."""
    users = sorted(declared.users({network.id}, attachments))
    if users:
        raise ConflictError(f"the network {network.name} is used by {', '.join(users)}")


def same_place(attachment: AttachmentFile, network: NetworkFile, spec: EndpointSpec) -> bool:
    """Return whether a container is on a network already, as ``spec`` wants it to be.

    Raises ConflictError when it is there in another way.
    """
    for endpoint in attachment.endpoints:
        if endpoint.network_id == network.id:
            if _fits(spec, endpoint.aliases, (endpoint.address, endpoint.address6)):
                return True
            raise ConflictError(
                f"{attachment.name} is on the network {network.name} already, with another"
                " address or other aliases",
                hint="Disconnect it first.",
                field="networks",
            )
    return False


def _fits(spec: EndpointSpec, aliases: tuple[str, ...], addresses: tuple[str, str]) -> bool:
    asked = (spec.ipv4_address, spec.ipv6_address)
    pairs = zip(asked, addresses, strict=True)
    same = all(not text or str(ip_address(text)) == held for text, held in pairs)
    return same and spec.aliases == aliases
