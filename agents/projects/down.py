"""Remove a project: its containers and networks, and its volumes if asked."""

from agents.compose.plan import ContainerAction
from agents.compose.teardown import plan_down
from agents.engines.base import Engine
from agents.projects.observed import observe
from agents.projects.progress import Progress
from agents.projects.together import counted, together


def take_down(
    engine: Engine, project: str, progress: Progress, *, remove_volumes: bool = False
) -> str:
    """Remove what bears the project's label, dependents first. Idempotent."""
    made = plan_down(project, observe(engine, project), remove_volumes=remove_volumes)
    total = len(made.containers) + len(made.networks) + len(made.volumes)
    removed: list[str] = []

    def remove(action: ContainerAction) -> None:
        progress.check()
        progress.step(f"Container {action.name}: stop and remove", service=action.service)
        engine.stop_container(action.container_id)
        engine.remove_container(action.container_id, force=True)
        removed.append(action.name)
        progress.advance(len(removed), total, f"Container {action.name}: removed")

    for stage in made.stages():
        together(remove, stage)
    for network in made.networks:
        progress.step(f"Network {network.name}: remove")
        engine.remove_network(network.name)
    for volume in made.volumes:
        progress.step(f"Volume {volume.name}: remove")
        engine.remove_volume(volume.name)
    return f"{counted(len(made.containers))} removed"
