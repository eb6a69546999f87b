"""Start, stop and restart the containers of a project, in the order of what needs what."""

from collections.abc import Sequence

from agents.compose.graph import levels
from agents.compose.observed import ObservedContainer
from agents.engines.base import Engine
from agents.errors import NotFoundError
from agents.projects.observed import observe
from agents.projects.progress import Progress
from agents.projects.together import counted, together
from agents.protocol.commands import ProjectAction


def act_on_project(engine: Engine, command: ProjectAction, progress: Progress) -> str:
    """Carry out the action on all containers of the project, or of the named services.

    Stopped are dependents first, started what they depend on first. Idempotent.

    Raises:
        NotFoundError: there is no such container.
    """
    stages = _in_order(engine, command.project, command.services)
    if not stages:
        what = ", ".join(command.services) or f"project {command.project}"
        raise NotFoundError(f"there are no containers of {what}", hint="Deploy the project first.")

    def stop(container: ObservedContainer) -> None:
        _report(progress, container, "stop")
        engine.stop_container(container.id)

    def start(container: ObservedContainer) -> None:
        _report(progress, container, "start")
        engine.start_container(container.id)

    if command.action in ("stop", "restart"):
        for stage in reversed(stages):
            together(stop, stage)
    if command.action in ("start", "restart"):
        for stage in stages:
            together(start, stage)
    return f"{counted(sum(map(len, stages)))}: {command.action}"


def _report(progress: Progress, container: ObservedContainer, word: str) -> None:
    progress.check()
    progress.step(f"Container {container.name}: {word}", service=container.service)


def _in_order(
    engine: Engine, project: str, services: Sequence[str]
) -> list[list[ObservedContainer]]:
    """Return the chosen containers in stages, what others depend on first."""
    found = observe(engine, project).containers
    needs: dict[str, set[str]] = {}
    for item in found:
        needs.setdefault(item.service, set()).update(item.depends_on)
    order = {name: rank for rank, stage in enumerate(levels(needs)) for name in stage}
    stages: dict[int, list[ObservedContainer]] = {}
    for item in sorted(found, key=lambda item: (item.service, item.number)):
        if not services or item.service in services:
            stages.setdefault(order.get(item.service, 0), []).append(item)
    return [stages[rank] for rank in sorted(stages)]
