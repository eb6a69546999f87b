"""Start, stop and restart the containers of a project, in the order of what needs what."""

from collections.abc import Sequence

from agents.compose.graph import levels
from agents.compose.observed import ObservedContainer
from agents.engines.base import Engine
from agents.errors import NotFoundError
from agents.projects.observed import observe
from agents.projects.progress import Progress
from agents.protocol.commands import ProjectAction


def act_on_project(engine: Engine, command: ProjectAction, progress: Progress) -> str:
    """Carry out the action on all containers of the project, or of the named services.

    Stopped are dependents first, started what they depend on first. Idempotent.

    Raises:
        NotFoundError: there is no such container.
    """
    ordered = _in_order(engine, command.project, command.services)
    if not ordered:
        what = ", ".join(command.services) or f"project {command.project}"
        raise NotFoundError(f"there are no containers of {what}", hint="Deploy the project first.")
    if command.action in ("stop", "restart"):
        for container in reversed(ordered):
            _report(progress, container, "stop")
            engine.stop_container(container.id)
    if command.action in ("start", "restart"):
        for container in ordered:
            _report(progress, container, "start")
            engine.start_container(container.id)
    return f"{len(ordered)} containers: {command.action}"


def _report(progress: Progress, container: ObservedContainer, word: str) -> None:
    progress.check()
    progress.step(f"Container {container.name}: {word}", service=container.service)


def _in_order(engine: Engine, project: str, services: Sequence[str]) -> list[ObservedContainer]:
    found = observe(engine, project).containers
    needs: dict[str, set[str]] = {}
    for item in found:
        needs.setdefault(item.service, set()).update(item.depends_on)
    order = {name: rank for rank, stage in enumerate(levels(needs)) for name in stage}
    chosen = [item for item in found if not services or item.service in services]
    return sorted(chosen, key=lambda item: (order.get(item.service, 0), item.service, item.number))
