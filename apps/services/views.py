"""The page of one container."""

from typing import get_args

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import role_in
from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.components import Crumb
from apps.core.http import client_ip
from apps.services.access import container_topic, get_container_for
from apps.services.actions import Action, act_on_container
from apps.services.presentation import address_of, browser_host, view_container


@require_safe
@login_required
def container_detail(
    request: AuthenticatedHttpRequest, host_uid: str, container_id: str
) -> HttpResponse:
    """``/containers/<host uid>/<id>/``: facts, ports, networks, labels and the log."""
    container = get_container_for(request.user, host_uid, container_id)
    role = role_in(request.user, container.host.team)
    crumbs = (
        Crumb(label="Hosts", url="/hosts/"),
        Crumb(label=container.host.name, url=f"/hosts/{host_uid}/"),
        Crumb(label=container.name),
    )
    context = {
        "container": container,
        "view": view_container(container, address_of(container.host, browser_host(request))),
        "record": container.record,
        "crumbs": crumbs,
        "socket": f"/ws/logs/containers/{host_uid}/{container_id}/",
        "topic": container_topic(host_uid, container_id),
        "may_write": role is not None and role.may_write,
    }
    template = "services/_container.html" if request.htmx else "services/container.html"
    return render(request, template, context)


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
