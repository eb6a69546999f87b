"""Who may see and change projects."""

from django.db.models import QuerySet
from django.http import Http404

from apps.accounts.access import require_team, visible_to
from apps.accounts.models import User
from apps.core.live import topic_checker
from apps.projects.models import Project, Revision


def projects_for(user: User) -> QuerySet[Project]:
    """Return the projects of the user's teams with their hosts, by name."""
    return visible_to(Project.objects.present().select_related("host", "team"), user)


def get_project_for(user: User, uid: str, *, write: bool = False) -> Project:
    """Return the project; raises ``Http404`` for strangers, ``PermissionDenied`` for readers."""
    projects = Project.objects.present().select_related("host", "team")
    project = projects.filter(uid=uid).first()
    if project is None:
        raise Http404
    require_team(user, project.team, write=write)
    return project


def get_revision_for(
    user: User, uid: str, number: int, *, write: bool = False
) -> tuple[Project, Revision]:
    """Return a project with one of its revisions; raises as :func:`get_project_for`."""
    project = get_project_for(user, uid, write=write)
    revision = project.revisions.select_related("operation").filter(number=number).first()
    if revision is None:
        raise Http404
    return project, revision


@topic_checker("project")
def may_watch_project(user: User, uid: str) -> bool:
    """Members of its team hear of a project."""
    return visible_to(Project.objects.filter(uid=uid), user).exists()
