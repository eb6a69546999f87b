"""Taking a project down, from what is observed alone: the files may be gone."""

from agents.compose.graph import levels
from agents.compose.observed import Observed
from agents.compose.plan import ContainerAction, Plan, ResourceAction


def plan_down(project: str, observed: Observed, *, remove_volumes: bool = False) -> Plan:
    """Return what a ``down`` must remove: containers (dependents first), networks, volumes.

    Only networks and volumes that carry the project's label are removed, volumes only when
    asked. Here ``order`` names the services in the order in which they stop.
    """
    needs: dict[str, set[str]] = {}
    for item in observed.containers:
        needs.setdefault(item.service, set()).update(item.depends_on)
    order = levels(needs)
    stuck = needs.keys() - {name for stage in order for name in stage}
    return Plan(
        project=project,
        networks=tuple(
            ResourceAction(kind="remove", key=item.key, name=item.name)
            for item in observed.networks
            if item.project == project
        ),
        volumes=tuple(
            ResourceAction(kind="remove", key=item.key, name=item.name)
            for item in observed.volumes
            if remove_volumes and item.project == project
        ),
        containers=_removals(observed),
        order=tuple(reversed((*order, tuple(sorted(stuck))) if stuck else order)),
    )


def _removals(observed: Observed) -> tuple[ContainerAction, ...]:
    return tuple(
        ContainerAction(
            kind="remove",
            service=item.service,
            number=item.number,
            name=item.name,
            container_id=item.id,
        )
        for item in observed.containers
    )
