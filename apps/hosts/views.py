"""Pages of hosts."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_in, writable_teams
from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.errors import InvalidInputError
from apps.core.http import client_ip
from apps.hosts import joining, summaries
from apps.hosts.access import get_host_for, get_join_token_for
from apps.hosts.sections import sections_of


@require_GET
@login_required
def index(request: AuthenticatedHttpRequest) -> HttpResponse:
    """All hosts of the user's teams."""
    teams = [each.team.uid for each in request.user.memberships.select_related("team")]
    context = {
        "rows": summaries.host_rows(request.user),
        "topics": " ".join(f"team:{uid}" for uid in teams),
        "may_add": writable_teams(request.user).exists(),
    }
    name = "hosts/_index.html" if request.htmx else "hosts/index.html"
    return render(request, name, context)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def add(request: AuthenticatedHttpRequest) -> HttpResponse:
    """How to add a host; a POST makes a token and shows the line, this once."""
    team = writable_teams(request.user).order_by("memberships__id").first()
    if team is None:
        raise PermissionDenied("Viewers may look, but not change anything.")
    lines = None
    if request.method == "POST":
        made = joining.create_join_token(request.user, team, ip=client_ip(request))
        lines = summaries.join_lines(made.token)
    context = {"lines": lines, "tokens": summaries.open_tokens(request.user), "team": team}
    return render(request, "hosts/add.html", context)


@require_POST
@login_required
def revoke_token(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Make a join token worthless."""
    token = get_join_token_for(request.user, uid)
    joining.revoke_join_token(request.user, token, ip=client_ip(request))
    messages.success(request, "The line is worthless now.")
    return redirect("hosts:add")


@require_GET
@login_required
def detail(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """One host: what it is, and what apps above know of it."""
    host = get_host_for(request.user, uid)
    role = role_in(request.user, host.team)
    context = {
        "page": summaries.host_page(host, may_write=role is not None and role.may_write),
        "sections": sections_of(request.user, host),
    }
    name = "hosts/_detail.html" if request.htmx else "hosts/detail.html"
    return render(request, name, context)


@require_POST
@login_required
def rename(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Give the host another name."""
    host = get_host_for(request.user, uid, write=True)
    joining.rename_host(request.user, host, request.POST.get("name", ""), ip=client_ip(request))
    return redirect("hosts:detail", uid=uid)


@require_POST
@login_required
def revoke(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Shut the host out; its name must have been typed."""
    host = get_host_for(request.user, uid, write=True)
    if request.POST.get("confirm", "").strip() != host.name:
        raise InvalidInputError("Type the host's name to remove it.", field="confirm")
    joining.revoke_host(request.user, host, ip=client_ip(request))
    messages.success(request, f"{host.name} was removed. What runs there goes on.")
    return redirect("hosts:index")
