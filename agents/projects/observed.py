"""From the engine's records to what a plan needs to know."""

from agents.compose import labels
from agents.compose.observed import Observed, ObservedContainer, ObservedNetwork, ObservedVolume
from agents.engines.base import Engine
from agents.protocol.records import ContainerRecord, NetworkRecord, VolumeRecord


def observe(engine: Engine, project: str) -> Observed:
    """Return the project's containers, and all networks and volumes of the host."""
    return Observed(
        containers=tuple(_container(record) for record in project_containers(engine, project)),
        networks=tuple(_network(record) for record in engine.list_networks()),
        volumes=tuple(_volume(record) for record in engine.list_volumes()),
    )


def project_containers(engine: Engine, project: str) -> tuple[ContainerRecord, ...]:
    """Return the containers that bear the project's label."""
    return engine.list_containers({labels.PROJECT: project})


def _container(record: ContainerRecord) -> ObservedContainer:
    found = record.labels
    number = found.get(labels.CONTAINER_NUMBER, "1")
    return ObservedContainer(
        id=record.id,
        name=record.name,
        service=found.get(labels.SERVICE, ""),
        number=int(number) if number.isdecimal() else 0,
        state=record.state,
        image_id=record.image_id,
        config_hash=found.get(labels.CONFIG_HASH, ""),
        spec_json=record.spec_json,
        depends_on=labels.parse_dependencies(found.get(labels.DEPENDS_ON, "")),
        one_off=found.get(labels.ONE_OFF, "") == "True",
    )


def _network(record: NetworkRecord) -> ObservedNetwork:
    return ObservedNetwork(
        name=record.name,
        project=record.labels.get(labels.PROJECT, ""),
        key=record.labels.get(labels.NETWORK, ""),
        config_hash=record.labels.get(labels.CONFIG_HASH, ""),
    )


def _volume(record: VolumeRecord) -> ObservedVolume:
    return ObservedVolume(
        name=record.name,
        project=record.labels.get(labels.PROJECT, ""),
        key=record.labels.get(labels.VOLUME, ""),
    )
