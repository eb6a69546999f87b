"""Pages of operations."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import role_in
from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.components import Tab
from apps.core.http import client_ip
from apps.operations import actions, summaries
from apps.operations.access import get_operation_for


@require_GET
@login_required
def index(request: AuthenticatedHttpRequest) -> HttpResponse:
    """All operations of the user's teams, newest first."""
    page = summaries.operation_list(request.user, request.GET)
    teams = [each.team.uid for each in request.user.memberships.select_related("team")]
    context = {
        "page": page,
        "tabs": _tabs(page.state),
        "topics": " ".join(f"team:{uid}" for uid in teams),
    }
    name = "operations/_index.html" if request.htmx else "operations/index.html"
    return render(request, name, context)


@require_GET
@login_required
def detail(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """One operation with its live output."""
    operation = get_operation_for(request.user, uid)
    role = role_in(request.user, operation.team)
    page = summaries.operation_page(operation, may_write=role is not None and role.may_write)
    name = "operations/_facts.html" if request.htmx else "operations/detail.html"
    return render(request, name, {"page": page})


@require_POST
@login_required
def cancel(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Stop it at its next safe point."""
    operation = get_operation_for(request.user, uid, write=True)
    actions.cancel_operation(request.user, operation, ip=client_ip(request))
    return redirect("operations:detail", uid=uid)


@require_POST
@login_required
def retry(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Ask for the same again."""
    operation = get_operation_for(request.user, uid, write=True)
    again = actions.retry_operation(request.user, operation, ip=client_ip(request))
    messages.success(request, "Asked for the same again.")
    return redirect("operations:detail", uid=again.uid)


def _tabs(chosen: str) -> list[Tab]:
    names = (("", "All"), ("active", "Active"), ("failed", "Failed"), ("done", "Done"))
    return [
        Tab(label=label, url=f"?state={name}" if name else "?", active=name == chosen)
        for name, label in names
    ]
