"""What would be observed after a project was brought up."""

import msgspec

from agents.compose import (
    Observed,
    ObservedContainer,
    ObservedNetwork,
    ObservedVolume,
    Project,
    config_hash,
    service_spec,
)
from agents.compose.labels import CONFIG_HASH, network_labels


def observe(project: Project) -> Observed:
    """Return what runs when everything of the project runs."""
    containers = [
        ObservedContainer(
            id=f"id-{service.name}-{number}",
            name=f"{project.name}-{service.name}-{number}",
            service=service.name,
            number=number,
            state="running",
            image_id=f"sha256:{service.image}",
            config_hash=config_hash(service),
            spec_json=service_spec(service),
            depends_on=tuple(need.service for need in service.depends_on),
        )
        for service in project.services.values()
        for number in range(1, service.scale + 1)
    ]
    networks = [
        ObservedNetwork(
            name=network.name,
            project=project.name,
            key=network.key,
            config_hash=network_labels(project, network)[CONFIG_HASH],
        )
        for network in project.networks.values()
    ]
    volumes = [
        ObservedVolume(name=volume.name, project=project.name, key=volume.key)
        for volume in project.volumes.values()
    ]
    return Observed(containers=tuple(containers), networks=tuple(networks), volumes=tuple(volumes))


def alter(observed: Observed, service: str, **changes: object) -> Observed:
    """Return the same with the containers of one service changed."""
    return msgspec.structs.replace(
        observed,
        containers=tuple(
            msgspec.structs.replace(item, **changes) if item.service == service else item
            for item in observed.containers
        ),
    )
