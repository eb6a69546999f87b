"""The Logs tab of a project."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.http import AuthenticatedHttpRequest
from apps.projects.access import get_project_for
from apps.projects.pages import frame_for


@require_safe
@login_required
def project_logs(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """``/projects/<uid>/logs/``: the lines of all containers, as they are written."""
    project = get_project_for(request.user, uid)
    context = {
        "frame": frame_for(request.user, project, "Logs"),
        "socket": f"/ws/logs/projects/{project.uid}/",
    }
    return render(request, "logs/project.html", context)
