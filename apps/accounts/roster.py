"""What the team page shows."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from apps.accounts.access import require_team
from apps.accounts.models import Invitation, Membership, Role, Team, User


@dataclass(frozen=True, kw_only=True)
class MemberRow:
    """One member; ``editable`` for owners who look at the page."""

    pk: int
    name: str
    username: str
    role: Role
    is_self: bool
    last_login: datetime | None
    joined_at: datetime


@dataclass(frozen=True, kw_only=True)
class InvitationRow:
    """An invitation that nobody has accepted yet."""

    pk: int
    role: Role
    note: str
    made_by: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class TeamPage:
    """A team as one of its members sees it."""

    team: Team
    may_manage: bool
    members: tuple[MemberRow, ...]
    invitations: tuple[InvitationRow, ...]
    roles: tuple[Role, ...] = tuple(Role)


def team_page(user: User, team: Team) -> TeamPage:
    """Return the page's values; invitations are for owners. Raises ``Http404`` for strangers."""
    owner = require_team(user, team) is Role.OWNER
    return TeamPage(
        team=team,
        may_manage=owner,
        members=_members(user, team),
        invitations=_invitations(team) if owner else (),
    )


def _members(user: User, team: Team) -> tuple[MemberRow, ...]:
    rows = Membership.objects.filter(team=team).select_related("user").order_by("id")
    return tuple(
        MemberRow(
            pk=row.pk,
            name=str(row.user),
            username=row.user.username,
            role=row.role_choice,
            is_self=row.user_id == user.pk,
            last_login=row.user.last_login,
            joined_at=row.created_at,
        )
        for row in rows
    )


def _invitations(team: Team) -> tuple[InvitationRow, ...]:
    rows = Invitation.objects.filter(
        team=team, first_owner=False, used_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    return tuple(
        InvitationRow(
            pk=row.pk,
            role=Role(row.role),
            note=row.note,
            made_by=str(row.created_by or "panel"),
            expires_at=row.expires_at,
        )
        for row in rows.select_related("created_by").order_by("-id")
    )
