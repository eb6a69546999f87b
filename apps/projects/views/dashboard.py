"""``/``: how everything is, what needs attention first."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.access import current_team, writable_teams
from apps.accounts.http import AuthenticatedHttpRequest
from apps.projects.dashboard import read_dashboard


@require_safe
@login_required
def dashboard(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Hosts, projects, containers and recent operations of the person's teams."""
    context = {
        "dashboard": read_dashboard(request.user),
        "team": current_team(request.user),
        "may_write": writable_teams(request.user).exists(),
    }
    template = "projects/_dashboard.html" if request.htmx else "projects/dashboard.html"
    return render(request, template, context)
