"""The panel's beginning: its first team and its first owner."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Invitation, Membership, Role, Team
from apps.core.tokens import Secret, new_token

SETUP_LIFETIME = timedelta(days=7)
FIRST_TEAM = "Team"


def first_team() -> Team:
    """Return the first team, made if there is none, as hosts join before people do."""
    team = Team.objects.order_by("id").first()
    return team or Team.objects.create(name=FIRST_TEAM)


def owner_exists() -> bool:
    """Say whether the panel is in somebody's hands."""
    return Membership.objects.filter(role=Role.OWNER, user__is_active=True).exists()


def renew_setup_token() -> Secret:
    """Return a new token for the first owner; those before it are worthless."""
    token = new_token()
    with transaction.atomic():
        Invitation.objects.filter(first_owner=True, used_at=None).delete()
        Invitation.objects.create(
            team=first_team(),
            role=Role.OWNER,
            token_digest=token.digest(),
            first_owner=True,
            expires_at=timezone.now() + SETUP_LIFETIME,
        )
    return token
