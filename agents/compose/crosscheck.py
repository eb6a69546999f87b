"""What can only be seen when all services are read: names, references, ports, cycles."""

import ipaddress
from collections.abc import Collection, Iterator, Mapping

from agents.compose.cursor import Cursor
from agents.compose.graph import find_cycle
from agents.compose.keys import nearest
from agents.compose.model import Attachment, Network, Port, Volume
from agents.compose.readers.service import ServiceDraft

Drafts = Mapping[str, ServiceDraft]


def check_dependencies(drafts: Drafts, disabled: Drafts, known: Collection[str]) -> None:
    """Report every service that is needed but is not ``known`` or is switched off."""
    for draft in drafts.values():
        for dependency in draft.service.depends_on:
            name = dependency.service
            if name not in known:
                _undefined(draft.cursor, "service", "depends_on", name, known)
            elif dependency.required and name in disabled:
                _switched_off(draft.cursor.find("depends_on", name), disabled[name])
            elif dependency.condition == "service_healthy" and name in drafts:
                _check_health(draft.cursor, drafts[name])


def _check_health(waiting: Cursor, needed: ServiceDraft) -> None:
    """Refuse to wait for the health of what is never checked."""
    healthcheck = needed.service.healthcheck
    if healthcheck is not None and healthcheck.disable:
        waiting.find("depends_on", needed.service.name, "condition").error(
            f'The health check of "{needed.service.name}" is switched off',
            expected="service_started",
            hint=f'Give it one under "services.{needed.service.name}.healthcheck".',
        )


def check_references(
    drafts: Drafts, networks: Mapping[str, Network], volumes: Mapping[str, Volume]
) -> None:
    """Report every network or volume that a service uses and that is not there."""
    for draft in drafts.values():
        for attachment in draft.service.networks:
            if attachment.network not in networks:
                _undefined(draft.cursor, "network", "networks", attachment.network, networks)
            else:
                _check_addresses(draft.cursor, attachment, networks[attachment.network])
        for mount in draft.service.volumes:
            if mount.type == "volume" and mount.source and mount.source not in volumes:
                _undefined(draft.cursor, "volume", "volumes", mount.source, volumes)


def _switched_off(place: Cursor, draft: ServiceDraft) -> None:
    profiles = ", ".join(draft.service.profiles)
    place.error(
        f'The service "{draft.service.name}" is switched off by its profiles',
        hint=f'Switch a profile of it on ({profiles}), or say "required: false".',
        code="undefined",
    )


def _check_addresses(service: Cursor, asked: Attachment, network: Network) -> None:
    families = {":" in one.subnet for one in network.subnets}
    wanted = (
        ("ipv4_address", asked.ipv4_address, False),
        ("ipv6_address", asked.ipv6_address, True),
    )
    for key, address, family in wanted:
        if address and not network.external and family not in families:
            service.find("networks", network.key, key).error(
                f'The network "{network.key}" has no subnet of its own to take this address from',
                hint=f'Give it one under "networks.{network.key}.ipam.config".',
            )


def _undefined(service: Cursor, kind: str, section: str, name: str, known: Collection[str]) -> None:
    if service.scope.report.is_full:
        return
    near = nearest(name, list(known))
    hint = f'Did you mean "{near}"?' if near else f'Define it under "{kind}s".'
    place = service.find(section, name)
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
    claims: dict[tuple[str, int], dict[str, str]] = {}
    for name, port, place in _fixed_ports(drafts):
        assert port.published is not None
        owners = claims.setdefault((port.protocol, port.published), {})
        address = _normal_address(port.host_ip)
        clash = owners.get(address) or owners.get("")
        if not address and owners:
            clash = next(iter(owners.values()))
        if clash:
            place.error(
                f"The host port {port.published}/{port.protocol} is taken by {clash}",
                hint="Give each its own host port.",
                code="port_conflict",
            )
        owners.setdefault(address, f'the service "{name}" (line {place.place.line})')


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


def _normal_address(text: str) -> str:
    """Return the address in one form, "" for every address."""
    if not text:
        return ""
    address = ipaddress.ip_address(text)
    return "" if address.is_unspecified else str(address)
