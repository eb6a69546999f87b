"""What every page of a project shows around its content."""

from dataclasses import dataclass

from apps.accounts.access import role_in
from apps.accounts.models import User
from apps.core.components import Crumb, Tab
from apps.projects.models import Project
from apps.projects.summaries import Summary, summarize


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The head of a project's page; ``may_write`` decides which buttons there are."""

    project: Project
    summary: Summary
    tabs: tuple[Tab, ...]
    crumbs: tuple[Crumb, ...]
    may_write: bool


def frame_for(user: User, project: Project, active: str, *crumbs: Crumb) -> Frame:
    """Return the frame with the tab ``active`` (its label) marked."""
    role = role_in(user, project.team)
    home = project.get_absolute_url()
    places = (
        ("Services", home, "service"),
        ("Files", f"{home}files/", "file"),
        ("Deployments", f"{home}deployments/", "deploy"),
        ("Logs", f"{home}logs/", "logs"),
    )
    return Frame(
        project=project,
        summary=summarize([project])[0],
        tabs=tuple(
            Tab(label=label, url=url, icon=icon, active=label == active)
            for label, url, icon in places
        ),
        crumbs=(
            Crumb(label="Projects", url="/projects/"),
            Crumb(label=project.name, url=home),
            *crumbs,
        ),
        may_write=role is not None and role.may_write,
    )
