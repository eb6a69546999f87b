"""What a log viewer looks at: a project or one container, and who may."""

from dataclasses import dataclass
from typing import Protocol

from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.accounts.models import User
from apps.hosts.models import Host
from apps.logs.sources import LogContainer
from apps.projects.access import get_project_for
from apps.services.access import get_container_for
from apps.services.models import Container

# In these states a container writes nothing until somebody starts it.
_AT_REST = frozenset({"created", "exited", "dead"})


@dataclass(frozen=True, kw_only=True)
class View:
    """The containers to show now, and whether their host is heard."""

    host_uid: str
    host_online: bool
    containers: tuple[LogContainer, ...]
    topics: tuple[str, ...]


class Subject(Protocol):
    """Something that has logs."""

    def load(self, user: User) -> View | None:
        """Query what there is to see; None if it is not there for this person."""
        ...


@dataclass(frozen=True, kw_only=True)
class ProjectSubject:
    """All containers of a project."""

    uid: str

    def load(self, user: User) -> View | None:
        """See :class:`Subject`."""
        try:
            project = get_project_for(user, self.uid)
        except (Http404, PermissionDenied):
            return None
        rows = Container.objects.of_project(project.host, project.name)
        return _view(project.host, list(rows), project.topic)


@dataclass(frozen=True, kw_only=True)
class ContainerSubject:
    """One container."""

    host_uid: str
    container_id: str

    def load(self, user: User) -> View | None:
        """See :class:`Subject`."""
        try:
            container = get_container_for(user, self.host_uid, self.container_id)
        except (Http404, PermissionDenied):
            return None
        return _view(container.host, [container])


def _view(host: Host, rows: list[Container], *topics: str) -> View:
    return View(
        host_uid=host.uid,
        host_online=host.is_online,
        containers=tuple(_follow(row) for row in rows),
        topics=(f"host:{host.uid}", *topics),
    )


def _follow(row: Container) -> LogContainer:
    return LogContainer(
        container_id=row.container_id,
        service=row.service or row.name,
        name=row.name,
        number=row.number,
        active=row.state not in _AT_REST,
    )
