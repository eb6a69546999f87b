"""Who is in a team: invite, join, change roles, remove."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.access import require_team
from apps.accounts.models import Invitation, Membership, Role, Team, User
from apps.accounts.setup import owner_exists
from apps.core.errors import ConflictError, GoneError
from apps.core.live import nudge
from apps.core.tokens import Secret, new_token, token_digest

INVITATION_LIFETIME = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What somebody chose who opened an invitation."""

    username: str
    full_name: str
    password: Secret


def invite(user: User, team: Team, role: Role, *, note: str = "", ip: str = "") -> Secret:
    """Return the token of a new one-time link; only owners may."""
    require_team(user, team, owner=True)
    token = new_token()
    with transaction.atomic():
        Invitation.objects.create(
            team=team,
            role=role,
            note=note[:120],
            token_digest=token.digest(),
            created_by=user,
            expires_at=timezone.now() + INVITATION_LIFETIME,
        )
        target = audit.Target(kind="invitation", name=note)
        audit.record("invite", target, team=team, actor=user, ip=ip, detail=f"as {role.label}")
        nudge(f"team:{team.uid}")
    return token


def revoke_invitation(user: User, invitation: Invitation, *, ip: str = "") -> None:
    """Make a link worthless; a second time does nothing."""
    require_team(user, invitation.team, owner=True)
    with transaction.atomic():
        rows = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None)
        if rows.update(revoked_at=timezone.now()):
            target = audit.Target(kind="invitation", name=invitation.note)
            audit.record("revoke", target, team=invitation.team, actor=user, ip=ip)


def find_invitation(token: str, *, first_owner: bool) -> Invitation:
    """Return an invitation that can be accepted; raises :class:`GoneError`."""
    rows = Invitation.objects.filter(token_digest=token_digest(token), first_owner=first_owner)
    found = rows.filter(**_usable()).select_related("team").first()
    if found is None or (first_owner and owner_exists()):
        raise GoneError(
            "This link was used or revoked, or has expired.",
            hint="Run `make up` again for a new one."
            if first_owner
            else "Ask an owner of the team for a new one.",
        )
    return found


def accept_as_new_user(invitation: Invitation, choice: Acceptance, *, ip: str = "") -> User:
    """Make an account for the one who opened the link; raises :class:`GoneError`."""
    with transaction.atomic():
        _use(invitation)
        user = User(username=choice.username, first_name=choice.full_name)
        user.set_password(choice.password.reveal())
        user.save()
        _join(user, invitation, ip)
    return user


def accept_as(user: User, invitation: Invitation, *, ip: str = "") -> None:
    """Let somebody who has an account into the team; raises ``GoneError``, ``ConflictError``."""
    with transaction.atomic():
        if Membership.objects.filter(user=user, team=invitation.team).exists():
            raise ConflictError(f"You are in {invitation.team} already.")
        _use(invitation)
        _join(user, invitation, ip)


def change_role(user: User, membership: Membership, role: Role, *, ip: str = "") -> None:
    """Give a member another role; raises :class:`ConflictError` for the last owner."""
    require_team(user, membership.team, owner=True)
    with transaction.atomic():
        if role is not Role.OWNER:
            _keep_an_owner(membership)
            _end_invitations(membership)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        _audit_member("change role", membership, user, ip, detail=f"now {role.label}")


def remove_member(user: User, membership: Membership, *, ip: str = "") -> None:
    """Take somebody out of the team; raises :class:`ConflictError` for the last owner."""
    require_team(user, membership.team, owner=True)
    with transaction.atomic():
        _keep_an_owner(membership)
        _end_invitations(membership)
        _audit_member("remove", membership, user, ip)
        Membership.objects.filter(pk=membership.pk).delete()


def _usable() -> dict[str, object]:
    return {"used_at": None, "revoked_at": None, "expires_at__gt": timezone.now()}


def _use(invitation: Invitation) -> None:
    """Spend the link in one guarded update, so that it lets one person in."""
    rows = Invitation.objects.filter(pk=invitation.pk, **_usable())
    if not rows.update(used_at=timezone.now()):
        raise GoneError("This link was used or revoked, or has expired.")


def _join(user: User, invitation: Invitation, ip: str) -> None:
    membership = Membership.objects.create(team=invitation.team, user=user, role=invitation.role)
    _audit_member("join", membership, user, ip, detail=f"as {membership.role_choice.label}")


def _keep_an_owner(membership: Membership) -> None:
    """The lock makes two owners who remove each other wait for one another."""
    Team.objects.select_for_update().get(pk=membership.team_id)
    others = Membership.objects.filter(team=membership.team, role=Role.OWNER)
    if not others.exclude(pk=membership.pk).exists():
        raise ConflictError(
            f"{membership.user} is the only owner.", hint="Make somebody else an owner first."
        )


def _end_invitations(membership: Membership) -> None:
    """Who is no owner any more must not come back by a link made while they were one."""
    mine = Invitation.objects.filter(team=membership.team, created_by=membership.user)
    mine.filter(used_at=None, revoked_at=None).update(revoked_at=timezone.now())


def _audit_member(
    verb: str, membership: Membership, actor: User, ip: str, *, detail: str = ""
) -> None:
    target = audit.Target(kind="member", uid=membership.user.username, name=str(membership.user))
    audit.record(verb, target, team=membership.team, actor=actor, ip=ip, detail=detail)
    nudge(f"team:{membership.team.uid}")
