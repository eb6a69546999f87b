"""What can only be seen when all services are read: names, references, ports, cycles."""

import ipaddress
from collections.abc import Collection, Iterator, Mapping

from agents.compose.cursor import Cursor
from agents.compose.graph import find_cycle
from agents.compose.keys import nearest
from agents.compose.model import Network, Port, Volume
from agents.compose.readers.service import ServiceDraft

Drafts = Mapping[str, ServiceDraft]


def check_dependencies(drafts: Drafts, disabled: Drafts, known: Collection[str]) -> None:
    """Report every service that is needed but is not ``known`` or is switched off."""
    for draft in drafts.values():
        for dependency in draft.service.depends_on:
            place = draft.cursor.find("depends_on", dependency.service)
            if dependency.service not in known:
                _undefined(place, "service", dependency.service, list(known))
            elif dependency.required and dependency.service in disabled:
                _switched_off(place, disabled[dependency.service])


def check_references(
    drafts: Drafts, networks: Mapping[str, Network], volumes: Mapping[str, Volume]
) -> None:
    """Report every network or volume that a service uses and that is not there."""
    for draft in drafts.values():
        for attachment in draft.service.networks:
            place = draft.cursor.find("networks", attachment.network)
            _check_network(place, attachment.network, networks)
        for mount in draft.service.volumes:
            if mount.type == "volume" and mount.source and mount.source not in volumes:
                place = draft.cursor.find("volumes", mount.source)
                _undefined(place, "volume", mount.source, list(volumes))


def _switched_off(place: Cursor, draft: ServiceDraft) -> None:
    profiles = ", ".join(draft.service.profiles)
    place.error(
        f'The service "{draft.service.name}" is switched off by its profiles',
        hint=f'Switch a profile of it on ({profiles}), or say "required: false".',
        code="undefined",
    )


def _check_network(place: Cursor, key: str, networks: Mapping[str, Network]) -> None:
    if key not in networks:
        _undefined(place, "network", key, list(networks))
        return
    address = place.find("ipv4_address")
    network = networks[key]
    if address.key == "ipv4_address" and not network.external and not network.subnets:
        address.error(
            f'The network "{key}" has no subnet of its own to take this address from',
            hint=f'Give it one under "networks.{key}.ipam.config".',
        )


def _undefined(place: Cursor, kind: str, name: str, known: list[str]) -> None:
    near = nearest(name, known)
    hint = f'Did you mean "{near}"?' if near else f'Define it under "{kind}s".'
    place.error(f'The {kind} "{name}" is not defined', hint=hint, code="undefined")


def check_order(drafts: Drafts) -> None:
    """Report a cycle of services that wait for one another."""
    needs = {
        name: [dependency.service for dependency in draft.service.depends_on]
        for name, draft in drafts.items()
    }
    cycle = find_cycle(needs)
    if cycle:
        place = drafts[cycle[0]].cursor.find("depends_on", cycle[1])
        message = "The services wait for one another: " + " → ".join(cycle)
        place.error(message, hint="Remove one of these dependencies.", code="cycle")


def check_container_names(drafts: Drafts) -> None:
    """Report two services with one container name, and a name for several containers."""
    taken: dict[str, str] = {}
    for name, draft in drafts.items():
        wanted = draft.service.container_name
        if not wanted:
            continue
        place = draft.cursor.find("container_name")
        if draft.service.scale > 1:
            place.error(f"{draft.service.scale} containers cannot have one name")
        if wanted in taken:
            message = f'The service "{taken[wanted]}" has the same container name'
            place.error(message, hint="Container names are unique on a host.", code="duplicate")
        taken.setdefault(wanted, name)


def check_host_ports(drafts: Drafts) -> None:
    """Report a port of the host that is wanted twice."""
    claims: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for name, port, place in _fixed_ports(drafts):
        assert port.published is not None
        others = claims.setdefault((port.protocol, port.published), [])
        clash = next((owner for ip, owner in others if _same_address(ip, port.host_ip)), None)
        if clash is not None:
            place.error(
                f"The host port {port.published}/{port.protocol} is taken by {clash}",
                hint="Give each its own host port.",
                code="port_conflict",
            )
        others.append((port.host_ip, f'the service "{name}" (line {place.place.line})'))


def _fixed_ports(drafts: Drafts) -> Iterator[tuple[str, Port, Cursor]]:
    for name, draft in drafts.items():
        for port, place in draft.ports:
            if port.published is None or port.published_last is not None:
                continue
            if draft.service.scale > 1:
                place.error(
                    f"{draft.service.scale} containers cannot share the host port {port.published}",
                    hint='Give a range, like "8000-8009:80", or only the port of the container.',
                    code="port_conflict",
                )
            yield name, port, place


def _same_address(one: str, other: str) -> bool:
    return one == other or _is_any(one) or _is_any(other)


def _is_any(address: str) -> bool:
    return not address or ipaddress.ip_address(address).is_unspecified
