"""Networks and volumes of a project."""

from contextlib import ExitStack

from agents.compose import labels
from agents.compose.model import Network, Project, Subnet
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
            engine.create_network(network_spec(project, project.networks[action.key]))
            undo.callback(engine.remove_network, action.name)
    for action in plan.volumes:
        if action.kind == "create":
            progress.step(f"Volume {action.name}: create")
            volume = project.volumes[action.key]
            known = labels.volume_labels(project, volume)
            engine.create_volume(VolumeSpec(name=action.name, options=volume.options, labels=known))
            undo.callback(engine.remove_volume, action.name)


def network_spec(project: Project, network: Network) -> NetworkSpec:
    """Return what the engine is to make of a project's network. Pure."""
    first = _subnet(network, version=4)
    second = _subnet(network, version=6)
    return NetworkSpec(
        name=network.name,
        driver=network.driver,
        subnet=first.subnet,
        gateway=first.gateway,
        ip_range=first.ip_range,
        ipv6=network.ipv6 or bool(second.subnet),
        subnet6=second.subnet,
        gateway6=second.gateway,
        internal=network.internal,
        parent=network.options.get("parent", ""),
        options={name: text for name, text in network.options.items() if name != "parent"},
        labels=labels.network_labels(project, network),
    )


def _subnet(network: Network, *, version: int) -> Subnet:
    families = (one for one in network.subnets if (":" in one.subnet) == (version == 6))
    return next(families, Subnet(subnet=""))
