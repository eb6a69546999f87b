"""The projects on a host's page, and where operations on a project lead."""

from django.urls import reverse

from apps.accounts.models import User
from apps.hosts.models import Host
from apps.hosts.sections import HostSection, host_section
from apps.operations.targets import target_link
from apps.projects.access import projects_for
from apps.projects.summaries import summarize


@host_section(order=10)
def projects(user: User, host: Host) -> HostSection:
    """The host's projects with their state."""
    return HostSection(
        title="Projects",
        icon="projects",
        template="projects/_section.html",
        values=summarize(projects_for(user).filter(host=host)),
    )


@target_link("project")
def project_link(uid: str) -> str:
    """Return the path of a project's page."""
    return reverse("projects:detail", args=[uid])
