"""Who may see and change what.

Every host and project belongs to a team. A stranger to the team gets ``Http404``, so that
the thing's existence stays unknown; a viewer who wants to change it ``PermissionDenied``.
"""

from typing import TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404

from apps.accounts.http import AuthenticatedHttpRequest
from apps.accounts.models import Invitation, Membership, Role, Team, User
from apps.core.http import HtmxHttpRequest
from apps.core.live import topic_checker

__all__ = [
    "AuthenticatedHttpRequest",
    "HtmxHttpRequest",
    "current_team",
    "get_invitation_for",
    "get_membership_for",
    "get_team_for",
    "require_team",
    "role_in",
    "visible_to",
    "writable_teams",
]

ModelT = TypeVar("ModelT", bound=Model)


def role_in(user: User, team: Team) -> Role | None:
    """Return the user's role in the team, or None for a stranger."""
    roles = Membership.objects.filter(user=user, team=team).values_list("role", flat=True)
    role = roles.first()
    return Role(role) if role and user.is_active else None


def require_team(user: User, team: Team, *, write: bool = False, owner: bool = False) -> Role:
    """Return the user's role; raises ``Http404`` or ``PermissionDenied`` if it is too little."""
    role = role_in(user, team)
    if role is None:
        raise Http404
    if owner and role is not Role.OWNER:
        raise PermissionDenied("Only an owner of the team may do this.")
    if write and not role.may_write:
        raise PermissionDenied("Viewers may look, but not change anything.")
    return role


def get_team_for(user: User, uid: str, *, owner: bool = False) -> Team:
    """Return the team; raises ``Http404`` or ``PermissionDenied``."""
    team = Team.objects.filter(uid=uid).first()
    if team is None:
        raise Http404
    require_team(user, team, owner=owner)
    return team


def get_membership_for(user: User, pk: int) -> Membership:
    """Return a membership of one of the user's teams, for an owner to change it.

    Raises ``Http404`` or ``PermissionDenied``.
    """
    found = Membership.objects.select_related("team", "user").filter(pk=pk).first()
    if found is None:
        raise Http404
    require_team(user, found.team, owner=True)
    return found


def get_invitation_for(user: User, pk: int) -> Invitation:
    """Return an invitation into one of the user's teams, for an owner to revoke it.

    Raises ``Http404`` or ``PermissionDenied``.
    """
    found = Invitation.objects.select_related("team").filter(pk=pk).first()
    if found is None:
        raise Http404
    require_team(user, found.team, owner=True)
    return found


def visible_to(queryset: QuerySet[ModelT], user: User) -> QuerySet[ModelT]:
    """Narrow rows that have a ``team`` to those of the user's teams."""
    return queryset.filter(team__memberships__user=user)


def writable_teams(user: User) -> QuerySet[Team]:
    """Return the teams in which the user may make hosts and projects."""
    roles = [role.value for role in Role if role.may_write]
    return Team.objects.filter(memberships__user=user, memberships__role__in=roles)


def current_team(user: User) -> Team:
    """Return the team whose pages the user sees: the one joined first.

    Raises ``PermissionDenied`` for somebody who is in no team.
    """
    membership = user.memberships.select_related("team").order_by("id").first()
    if membership is None:
        raise PermissionDenied("You are in no team. Ask an owner for an invitation.")
    return membership.team


@topic_checker("team")
def may_watch_team(user: User, uid: str) -> bool:
    """Members hear of changes in the team's lists."""
    return user.memberships.filter(team__uid=uid).exists()
