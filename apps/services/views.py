"""The pages of one container."""

from typing import get_args

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from agents.protocol.control import Look
from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.errors import UnavailableError
from apps.core.http import client_ip
from apps.services.access import get_container_for
from apps.services.actions import Action, act_on_container
from apps.services.findings import show_findings
from apps.services.looking import look_at
from apps.services.pages import frame_for
from apps.services.presentation import address_of, browser_host, view_container


@require_safe
@login_required
def container_detail(
    request: AuthenticatedHttpRequest, host_uid: str, container_id: str
) -> HttpResponse:
    """``/containers/<host uid>/<id>/``: facts, figures, ports, networks, labels and the log."""
    container = get_container_for(request.user, host_uid, container_id)
    context = {
        "container": container,
        "frame": frame_for(request.user, container, "Overview"),
        "view": view_container(container, address_of(container.host, browser_host(request))),
        "record": container.record,
        "socket": f"/ws/logs/containers/{host_uid}/{container_id}/",
        "figures": f"/ws/containers/{host_uid}/{container_id}/figures/",
    }
    template = "services/_container.html" if request.htmx else "services/container.html"
    return render(request, template, context)


@require_safe
@login_required
def container_processes(
    request: AuthenticatedHttpRequest, host_uid: str, container_id: str
) -> HttpResponse:
    """``/containers/<host uid>/<id>/processes/``: what runs in it now."""
    return _look(request, host_uid, container_id, "processes")


@require_safe
@login_required
def container_health(
    request: AuthenticatedHttpRequest, host_uid: str, container_id: str
) -> HttpResponse:
    """``/containers/<host uid>/<id>/health/``: the last health checks with their output."""
    return _look(request, host_uid, container_id, "health")


@require_safe
@login_required
def container_kernel(
    request: AuthenticatedHttpRequest, host_uid: str, container_id: str
) -> HttpResponse:
    """``/containers/<host uid>/<id>/kernel/``: what the kernel holds of it."""
    return _look(request, host_uid, container_id, "kernel")


def _look(
    request: AuthenticatedHttpRequest, host_uid: str, container_id: str, what: Look
) -> HttpResponse:
    """Show the frame at once; the page then fetches its content, for which the host is asked."""
    container = get_container_for(request.user, host_uid, container_id)
    context: dict[str, object] = {"container": container, "what": what}
    if not request.htmx:
        context["frame"] = frame_for(request.user, container, what.capitalize())
        return render(request, "services/look.html", context)
    try:
        findings = look_at(container, what)
    except UnavailableError as error:
        context["problem"], context["hint"] = error.message, error.hint
    else:
        context["problem"] = findings.error
        context["found"] = show_findings(findings)
    return render(request, "services/_look.html", context)


@require_POST
@login_required
def container_act(
    request: AuthenticatedHttpRequest, host_uid: str, container_id: str, action: str
) -> HttpResponse:
    """Start, stop, restart, kill or remove the container; goes to the operation."""
    container = get_container_for(request.user, host_uid, container_id, write=True)
    for known in get_args(Action):
        if action == known:
            operation = act_on_container(request.user, container, known, ip=client_ip(request))
            return HttpResponseRedirect(f"/operations/{operation.uid}/")
    return HttpResponseBadRequest("There is no such action.")
