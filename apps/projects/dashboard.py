"""Everything that the dashboard shows, in a fixed number of queries."""

from dataclasses import dataclass

from django.db.models import Count, Q

from apps.accounts.models import User
from apps.hosts.access import hosts_for
from apps.hosts.models import Host, HostState
from apps.operations.access import operations_for
from apps.operations.models import Operation
from apps.projects.access import projects_for
from apps.projects.summaries import Summary, summarize
from apps.services.models import Container

_RECENT = 8
_TROUBLED = ("failed", "partly", "unknown")


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """The numbers and lists; projects and hosts that need attention come first."""

    hosts: tuple[Host, ...]
    hosts_online: int
    projects: tuple[Summary, ...]
    projects_running: int
    containers: int
    containers_running: int
    operations: tuple[Operation, ...]
    operations_active: int

    @property
    def troubled_projects(self) -> tuple[Summary, ...]:
        """Projects that do not do what they should."""
        return tuple(
            each
            for each in self.projects
            if each.state.name in _TROUBLED or each.last_deploy_failed
        )

    @property
    def hosts_note(self) -> str:
        """How many there are in all."""
        return f"of {len(self.hosts)}"

    @property
    def projects_note(self) -> str:
        """How many there are in all."""
        return f"of {len(self.projects)}"

    @property
    def containers_note(self) -> str:
        """How many there are in all."""
        return f"of {self.containers}"

    @property
    def silent_hosts(self) -> tuple[Host, ...]:
        """Hosts that the panel no longer hears."""
        return tuple(host for host in self.hosts if host.state == HostState.OFFLINE)


def read_dashboard(user: User) -> Dashboard:
    """Query everything for the user's teams."""
    hosts = tuple(
        sorted(hosts_for(user), key=lambda host: (host.state != HostState.OFFLINE, host.name))
    )
    projects = sorted(summarize(projects_for(user)), key=lambda each: each.urgency)
    counts = (
        Container.objects.present()
        .filter(host__in=hosts)
        .aggregate(all=Count("pk"), running=Count("pk", filter=Q(state="running")))
    )
    recent = tuple(operations_for(user)[:_RECENT])
    return Dashboard(
        hosts=hosts,
        hosts_online=sum(host.is_online for host in hosts),
        projects=tuple(projects),
        projects_running=sum(each.state.name == "running" for each in projects),
        containers=counts["all"],
        containers_running=counts["running"],
        operations=recent,
        operations_active=sum(not operation.has_ended for operation in recent),
    )
