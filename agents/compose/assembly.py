"""Gives everything in a project the name it has on the host, in one order."""

from collections.abc import Mapping, Sequence

import msgspec

from agents.compose.model import Attachment, Mount, Network, Project, Service, Volume
from agents.compose.names import image_name


def assemble(
    *,
    name: str,
    services: Sequence[Service],
    networks: Mapping[str, Network],
    volumes: Mapping[str, Volume],
    disabled: tuple[str, ...],
    working_dir: str,
    config_files: tuple[str, ...],
) -> Project:
    """Return the project of services that were checked; what nobody uses is left out."""
    names = {service.name for service in services}
    full = [_complete(service, name, names, networks, volumes) for service in services]
    used_networks = {attachment.network for service in full for attachment in service.networks}
    used_volumes = {mount.source for service in full for mount in service.volumes}
    return Project(
        name=name,
        services={service.name: service for service in full},
        networks={key: networks[key] for key in sorted(used_networks)},
        volumes={key: volumes[key] for key in sorted(used_volumes & volumes.keys())},
        disabled=disabled,
        working_dir=working_dir,
        config_files=config_files,
    )


def _complete(
    service: Service,
    project: str,
    names: set[str],
    networks: Mapping[str, Network],
    volumes: Mapping[str, Volume],
) -> Service:
    wanted = [need for need in service.depends_on if need.service in names]
    return msgspec.structs.replace(
        service,
        image=service.image or image_name(project, service.name),
        depends_on=tuple(sorted(wanted, key=lambda need: need.service)),
        networks=_attach(service, networks),
        volumes=tuple(_name_volume(mount, volumes) for mount in service.volumes),
    )


def _attach(service: Service, networks: Mapping[str, Network]) -> tuple[Attachment, ...]:
    """Return the attachments, the one for the default route first."""
    if service.network_mode:
        return ()
    chosen = service.networks or (Attachment(network="default"),)
    unique = {attachment.network: attachment for attachment in chosen}.values()
    ordered = sorted(unique, key=lambda attachment: (-attachment.priority, attachment.network))
    return tuple(
        msgspec.structs.replace(attachment, name=networks[attachment.network].name)
        for attachment in ordered
    )


def _name_volume(mount: Mount, volumes: Mapping[str, Volume]) -> Mount:
    if mount.type != "volume" or not mount.source:
        return mount
    return msgspec.structs.replace(mount, volume_name=volumes[mount.source].name)
