"""Pages of teams: coming in by a link, members, the audit log."""

from allauth.mfa.utils import is_mfa_enabled as has_second_factor
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import actions, passwords, trail
from apps.accounts.access import current_team, get_invitation_for, get_membership_for, require_team
from apps.accounts.forms import AcceptForm, InviteForm, PasswordForm, RoleForm
from apps.accounts.http import AuthenticatedHttpRequest
from apps.accounts.models import Invitation, User
from apps.accounts.roster import team_page
from apps.core.http import client_ip
from apps.core.tokens import Secret

_BACKEND = settings.AUTHENTICATION_BACKENDS[0]


@never_cache
@sensitive_post_parameters("password", "repeated")
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """The first owner comes in by the link that the set-up printed."""
    return _accept(request, actions.find_invitation(token, first_owner=True))


@never_cache
@sensitive_post_parameters("password", "repeated")
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody comes in by an owner's invitation."""
    invitation = actions.find_invitation(token, first_owner=False)
    if isinstance(request.user, User):
        return _accept_signed_in(request, request.user, invitation)
    return _accept(request, invitation)


def _accept(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = actions.accept_as_new_user(invitation, form.acceptance(), ip=client_ip(request))
        login(request, user, backend=_BACKEND)
        return redirect("/")
    context = {"form": form, "invitation": invitation}
    status = 422 if form.errors else 200
    return render(request, "accounts/accept.html", context, status=status)


def _accept_signed_in(request: HttpRequest, user: User, invitation: Invitation) -> HttpResponse:
    if request.method == "POST":
        actions.accept_as(user, invitation, ip=client_ip(request))
        return redirect("/")
    return render(request, "accounts/accept_signed_in.html", {"invitation": invitation})


@never_cache
@sensitive_post_parameters("password", "repeated")
@require_http_methods(["GET", "POST"])
def new_password(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Somebody who forgot their password chooses another, by a link that an owner gave them."""
    user = passwords.find_user(pk, token)
    form = PasswordForm(request.POST or None)
    form.user = user
    if request.method == "POST" and form.is_valid():
        secret = Secret(form.cleaned_data["password"])
        passwords.choose_password(pk, token, secret, ip=client_ip(request))
        messages.success(request, "Your password is changed. Sign in with it.")
        return redirect("account_login")
    context = {"form": form, "whose": user}
    status = 422 if form.errors else 200
    return render(request, "accounts/new_password.html", context, status=status)


@require_GET
@login_required
def settings_page(request: AuthenticatedHttpRequest) -> HttpResponse:
    """What a person may change about their own account."""
    memberships = request.user.memberships.select_related("team").order_by("id")
    context = {"second_factor": has_second_factor(request.user), "memberships": list(memberships)}
    return render(request, "accounts/settings.html", context)


@require_GET
@login_required
def team(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Members and open invitations."""
    page = team_page(request.user, current_team(request.user))
    name = "accounts/_team.html" if request.htmx else "accounts/team.html"
    return render(request, name, {"page": page, "form": InviteForm()})


@never_cache
@require_POST
@login_required
def invite(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Make an invitation and show its link, this once."""
    team = current_team(request.user)
    require_team(request.user, team, owner=True)
    form = InviteForm(request.POST)
    link = ""
    if form.is_valid():
        token = actions.invite(
            request.user,
            team,
            form.chosen_role(),
            note=form.cleaned_data["note"],
            ip=client_ip(request),
        )
        link = settings.PUBLIC_URLS[0] + reverse("accounts:join", args=[token.reveal()])
    context = {"page": team_page(request.user, team), "form": form, "link": link}
    return render(request, "accounts/team.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def revoke_invitation(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Make a link worthless."""
    invitation = get_invitation_for(request.user, pk)
    actions.revoke_invitation(request.user, invitation, ip=client_ip(request))
    messages.success(request, "The invitation was revoked.")
    return redirect("accounts:team")


@require_POST
@login_required
def change_role(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Give a member another role."""
    membership = get_membership_for(request.user, pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        role = form.chosen_role()
        actions.change_role(request.user, membership, role, ip=client_ip(request))
        messages.success(request, f"{membership.user} is {role.label.lower()} now.")
    return redirect("accounts:team")


@never_cache
@require_POST
@login_required
def offer_password(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Make a link by which a member chooses a new password, and show it, this once."""
    membership = get_membership_for(request.user, pk)
    path = passwords.offer_password(request.user, membership, ip=client_ip(request))
    context = {
        "page": team_page(request.user, membership.team),
        "form": InviteForm(),
        "password_link": settings.PUBLIC_URLS[0] + path,
        "password_for": membership.user,
    }
    return render(request, "accounts/team.html", context)


@require_POST
@login_required
def remove_member(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Take somebody out of the team."""
    membership = get_membership_for(request.user, pk)
    actions.remove_member(request.user, membership, ip=client_ip(request))
    messages.success(request, f"{membership.user} was removed from the team.")
    return redirect("accounts:team")


@require_GET
@login_required
def audit_log(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Who did what, newest first."""
    wanted = trail.Filter.from_query(request.GET)
    page = trail.audit_page(request.user, wanted)
    name = "accounts/_audit.html" if request.htmx else "accounts/audit.html"
    return render(request, name, {"page": page, "filter": wanted})
