"""The list of projects, and making a new one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from agents.protocol.records import ProjectFile
from apps.accounts.access import current_team, writable_teams
from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.errors import PanelError
from apps.core.http import client_ip
from apps.hosts.access import get_host_for
from apps.projects.access import projects_for
from apps.projects.actions import FilesAndVariables, create_project
from apps.projects.files import Files
from apps.projects.forms import NewProjectForm
from apps.projects.starters import STARTERS, find_starter
from apps.projects.summaries import summarize


@require_safe
@login_required
def project_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    """``/projects/``: all projects of the person's teams, those in need of attention first."""
    summaries = sorted(summarize(projects_for(request.user)), key=lambda each: each.urgency)
    template = "projects/_list.html" if request.htmx else "projects/list.html"
    context = {
        "summaries": summaries,
        "team": current_team(request.user),
        "may_write": writable_teams(request.user).exists(),
    }
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def project_new(request: AuthenticatedHttpRequest) -> HttpResponse:
    """``/projects/new/``: a name, a host, and files to begin with."""
    if not writable_teams(request.user).exists():
        raise PermissionDenied("Viewers may look, but not change anything.")
    form = NewProjectForm(request.user, request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            return _create(request, form)
        except PanelError as error:
            form.add_error(error.field or None, f"{error.message} {error.hint}".strip())
    status = 422 if form.errors else 200
    context = {"form": form, "starters": STARTERS}
    return render(request, "projects/new.html", context, status=status)


def _initial(request: HttpRequest) -> dict[str, str]:
    return {"starter": STARTERS[0].name, "host": request.GET.get("host", "")}


def _create(request: AuthenticatedHttpRequest, form: NewProjectForm) -> HttpResponse:
    host = get_host_for(request.user, form.cleaned_data["host"].uid, write=True)
    project = create_project(
        request.user,
        team=host.team,
        host=host,
        name=form.cleaned_data["name"],
        content=FilesAndVariables(files=_first_files(form)),
        ip=client_ip(request),
    )
    messages.success(request, f"{project.name} is ready to be edited and deployed.")
    return HttpResponseRedirect(f"{project.get_absolute_url()}files/")


def _first_files(form: NewProjectForm) -> Files:
    pasted = form.cleaned_data["pasted"]
    if pasted.strip():
        return (ProjectFile(path="compose.yml", content=pasted),)
    return find_starter(form.cleaned_data["starter"]).files
