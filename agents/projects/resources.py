"""Networks and volumes of a project."""

from contextlib import ExitStack

from agents.compose import labels
from agents.compose.model import Network, Project
from agents.compose.plan import Plan
from agents.engines.base import Engine
from agents.engines.specs import NetworkSpec, VolumeSpec
from agents.projects.progress import Progress


def create_resources(
    engine: Engine, project: Project, plan: Plan, progress: Progress, undo: ExitStack
) -> None:
    """Create what the plan says; ``undo`` removes it again. Idempotent."""
    for action in plan.networks:
        if action.kind in ("create", "recreate"):
            progress.step(f"Network {action.name}: create")
            engine.create_network(_network_spec(project, project.networks[action.key]))
            undo.callback(engine.remove_network, action.name)
    for action in plan.volumes:
        if action.kind == "create":
            progress.step(f"Volume {action.name}: create")
            volume = project.volumes[action.key]
            known = labels.volume_labels(project, volume)
            engine.create_volume(VolumeSpec(name=action.name, labels=known))
            undo.callback(engine.remove_volume, action.name)


def _network_spec(project: Project, network: Network) -> NetworkSpec:
    subnet = network.subnets[0] if network.subnets else None
    return NetworkSpec(
        name=network.name,
        driver=network.driver,
        subnet=subnet.subnet if subnet else "",
        gateway=subnet.gateway if subnet else "",
        internal=network.internal,
        labels=labels.network_labels(project, network),
    )
