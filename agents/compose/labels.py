"""The labels by which containers, networks and volumes are known as a project's."""

import posixpath

from agents.compose.canonical import config_hash, hash_spec, network_spec
from agents.compose.model import Attachment, Dependency, Network, Project, Service, Volume

PREFIX = "com.docker.compose."
PROJECT = PREFIX + "project"
SERVICE = PREFIX + "service"
CONTAINER_NUMBER = PREFIX + "container-number"
ONE_OFF = PREFIX + "oneoff"
CONFIG_HASH = PREFIX + "config-hash"
WORKING_DIR = PREFIX + "project.working_dir"
CONFIG_FILES = PREFIX + "project.config_files"
VERSION = PREFIX + "version"
DEPENDS_ON = PREFIX + "depends_on"
IMAGE = PREFIX + "image"
NETWORK = PREFIX + "network"
VOLUME = PREFIX + "volume"

COMPOSE_VERSION = "2.26.1"
"""The version of Docker Compose whose labels these are."""


def container_labels(
    project: Project, service: Service, number: int, *, image_id: str
) -> dict[str, str]:
    """Return all labels of one container: the service's own and Compose's, which win."""
    labels = {
        **service.labels,
        PROJECT: project.name,
        SERVICE: service.name,
        CONTAINER_NUMBER: str(number),
        ONE_OFF: "False",
        CONFIG_HASH: config_hash(service),
        WORKING_DIR: project.working_dir,
        CONFIG_FILES: ",".join(_full_path(project, path) for path in project.config_files),
        VERSION: COMPOSE_VERSION,
        IMAGE: image_id,
    }
    if service.depends_on:
        labels[DEPENDS_ON] = format_dependencies(service.depends_on)
    return labels


def _full_path(project: Project, path: str) -> str:
    return posixpath.join(project.working_dir, path)


def network_labels(project: Project, network: Network) -> dict[str, str]:
    """Return all labels of a network."""
    return {
        **network.labels,
        PROJECT: project.name,
        NETWORK: network.key,
        CONFIG_HASH: hash_spec(network_spec(network)),
        VERSION: COMPOSE_VERSION,
    }


def volume_labels(project: Project, volume: Volume) -> dict[str, str]:
    """Return all labels of a volume."""
    return {
        **volume.labels,
        PROJECT: project.name,
        VOLUME: volume.key,
        VERSION: COMPOSE_VERSION,
    }


def format_dependencies(dependencies: tuple[Dependency, ...]) -> str:
    """Return dependencies as their label: ``db:service_healthy:false,cache:…``."""
    return ",".join(
        f"{need.service}:{need.condition}:{str(need.restart).lower()}" for need in dependencies
    )


def parse_dependencies(label: str) -> tuple[str, ...]:
    """Return the services that a label of dependencies names."""
    return tuple(part.partition(":")[0] for part in label.split(",") if part)


def endpoint_aliases(attachment: Attachment, service: str, container: str) -> tuple[str, ...]:
    """Return the names by which others on the network find a container."""
    return tuple(dict.fromkeys((container, service, *attachment.aliases)))
