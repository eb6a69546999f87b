"""The Services tab: what runs, and what can be done to it."""

from typing import get_args

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.http import client_ip
from apps.operations.models import Operation
from apps.projects.access import get_project_for
from apps.projects.actions import Action, act_on_project, remove_project
from apps.projects.contents import list_services
from apps.projects.models import Project
from apps.projects.pages import frame_for
from apps.services.models import Container
from apps.services.presentation import browser_host


@require_safe
@login_required
def project_detail(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """``/projects/<uid>/``: the services with their containers, as they are now."""
    project = get_project_for(request.user, uid)
    frame = frame_for(request.user, project, "Services")
    containers = Container.objects.of_project(project.host, project.name).select_related("host")
    applied = frame.summary.applied
    context: dict[str, object] = {
        "frame": frame,
        "services": list_services(
            project.host,
            containers,
            applied.services if applied else (),
            browser_host(request),
        ),
    }
    if operation := _shown_operation(request, project):
        context["operation"] = operation
        context["operation_socket"] = f"/ws/operations/{operation.uid}/"
    template = "projects/_services.html" if request.htmx else "projects/detail.html"
    return render(request, template, context)


@require_safe
@login_required
def project_head(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """What changes in the head of the project's pages, as a fragment."""
    project = get_project_for(request.user, uid)
    context = {"frame": frame_for(request.user, project, "")}
    return render(request, "projects/_head.html", context)


@require_POST
@login_required
def project_act(request: AuthenticatedHttpRequest, uid: str, action: str) -> HttpResponse:
    """Start, stop or restart the project, or the service in the field ``service``."""
    project = get_project_for(request.user, uid, write=True)
    for known in get_args(Action):
        if action == known:
            service = request.POST.get("service", "")
            operation = act_on_project(
                request.user, project, known, service=service, ip=client_ip(request)
            )
            return _show(project, operation)
    return HttpResponseBadRequest("There is no such action.")


@require_POST
@login_required
def project_remove(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Remove the project once its name was typed; with its volumes if that was ticked."""
    project = get_project_for(request.user, uid, write=True)
    operation = remove_project(
        request.user,
        project,
        confirm=request.POST.get("confirm", "").strip(),
        remove_volumes="remove_volumes" in request.POST,
        ip=client_ip(request),
    )
    if operation is None:
        messages.success(request, f"{project.name} was removed.")
        return HttpResponseRedirect("/projects/")
    return HttpResponseRedirect(f"/operations/{operation.uid}/")


def _show(project: Project, operation: Operation) -> HttpResponse:
    return HttpResponseRedirect(f"{project.get_absolute_url()}?operation={operation.uid}")


def _shown_operation(request: AuthenticatedHttpRequest, project: Project) -> Operation | None:
    """The operation that the address names, if it is the project's."""
    wanted = request.GET.get("operation", "")
    mine = Operation.objects.filter(target_kind="project", target_uid=project.uid)
    return mine.filter(uid=wanted).first() if wanted else None
