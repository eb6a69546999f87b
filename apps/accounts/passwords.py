"""One-time links by which somebody who forgot their password chooses a new one.

The token is Django's own: signed, good for ``PASSWORD_RESET_TIMEOUT`` seconds, and void once
the password has changed or its owner has signed in. A second factor stays as it is.
"""

from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from apps.accounts import audit
from apps.accounts.access import require_team
from apps.accounts.models import Membership, Role, User
from apps.core.errors import GoneError
from apps.core.tokens import Secret


def make_password_path(user: User) -> str:
    """Return the address, below the panel's own, at which the user chooses a password."""
    token = default_token_generator.make_token(user)
    return reverse("accounts:new-password", args=[user.pk, token])


def offer_password(actor: User, membership: Membership, *, ip: str = "") -> str:
    """Return the address for a member; only for who owns every team that the member is in.

    Otherwise an owner of one team could take over an account that owns another.
    """
    require_team(actor, membership.team, owner=True)
    teams = set(Membership.objects.filter(user=membership.user).values_list("team", flat=True))
    owned = Membership.objects.filter(user=actor, role=Role.OWNER).values_list("team", flat=True)
    if not teams <= set(owned):
        raise PermissionDenied("This person is in another team, too, which is not yours.")
    target = audit.Target(kind="member", uid=membership.user.username, name=str(membership.user))
    audit.record("offer password", target, team=membership.team, actor=actor, ip=ip)
    return make_password_path(membership.user)


def find_user(pk: int, token: str) -> User:
    """Return whose link it is; raises :class:`GoneError`."""
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, token):
        raise GoneError(
            "This link was used, or has expired.", hint="Ask an owner of your team for a new one."
        )
    return user


def choose_password(pk: int, token: str, password: Secret, *, ip: str = "") -> User:
    """Set the password, which ends the link and the user's sessions; raises ``GoneError``."""
    with transaction.atomic():
        User.objects.select_for_update().filter(pk=pk).first()
        user = find_user(pk, token)
        user.set_password(password.reveal())
        user.save(update_fields=["password"])
        for membership in Membership.objects.filter(user=user).select_related("team"):
            target = audit.Target(kind="member", uid=user.username, name=str(user))
            audit.record("choose password", target, team=membership.team, actor=user, ip=ip)
    return user
