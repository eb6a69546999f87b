"""What happens here when an agent reports something that concerns a project."""

from collections.abc import Iterable

from agents.compose.labels import PROJECT
from agents.protocol import events
from agents.protocol.records import ContainerRecord
from apps.core.events import handles
from apps.core.live import nudge
from apps.hosts.models import Host
from apps.projects.adoption import adopt_project
from apps.projects.models import Project
from apps.services.models import Container


@handles(events.ContainerChanged)
def container_changed(host: Host, event: events.ContainerChanged) -> None:
    """Announce the change to whoever looks at the container's project."""
    _nudge_projects(host, _names([event.container]))


@handles(events.ContainerRemoved)
def container_removed(host: Host, event: events.ContainerRemoved) -> None:
    """Announce the removal; the tombstone still tells the project."""
    rows = Container.objects.filter(host=host, container_id=event.container_id)
    _nudge_projects(host, set(rows.values_list("project", flat=True)))


@handles(events.Inventory)
def inventory_taken(host: Host, event: events.Inventory) -> None:
    """Adopt the projects that the panel does not know, and announce the rest."""
    for applied in event.projects:
        adopt_project(host, applied)
    known = Project.objects.present().filter(host=host).values_list("name", flat=True)
    _nudge_projects(host, set(known))


@handles(events.ProjectApplied)
def project_applied(host: Host, event: events.ProjectApplied) -> None:
    """Take in what was applied, by whomever, or that the files were forgotten."""
    adopt_project(host, event.project)


def _names(records: Iterable[ContainerRecord]) -> set[str]:
    return {record.labels.get(PROJECT, "") for record in records}


def _nudge_projects(host: Host, names: set[str]) -> None:
    names.discard("")
    rows = Project.objects.present().filter(host=host, name__in=names).select_related("team")
    for project in rows:
        nudge(project.topic, f"team:{project.team.uid}")
