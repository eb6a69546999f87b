"""Remove a project: its containers and networks, and its volumes if asked."""

from agents.compose.teardown import plan_down
from agents.engines.base import Engine
from agents.projects.observed import observe
from agents.projects.progress import Progress


def take_down(
    engine: Engine, project: str, progress: Progress, *, remove_volumes: bool = False
) -> str:
    """Remove what bears the project's label, dependents first. Idempotent."""
    made = plan_down(project, observe(engine, project), remove_volumes=remove_volumes)
    total = len(made.containers) + len(made.networks) + len(made.volumes)
    ordered = [action for stage in made.stages() for action in stage]
    for done, action in enumerate(ordered, start=1):
        progress.check()
        progress.step(f"Container {action.name}: stop and remove", service=action.service)
        engine.stop_container(action.container_id)
        engine.remove_container(action.container_id, force=True)
        progress.advance(done, total, f"Container {action.name}: removed")
    for network in made.networks:
        progress.step(f"Network {network.name}: remove")
        engine.remove_network(network.name)
    for volume in made.volumes:
        progress.step(f"Volume {volume.name}: remove")
        engine.remove_volume(volume.name)
    return f"{len(made.containers)} containers removed"
