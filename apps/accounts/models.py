"""People, their teams and roles, and what they did."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from apps.core.ids import new_uid


class User(AbstractUser):
    """A person who signs in."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What a member may do in a team, from most to least."""

    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"

    @property
    def tone(self) -> str:
        """The colour of the role's badge."""
        return {"owner": "info", "member": "success"}.get(self.value, "neutral")

    @property
    def explanation(self) -> str:
        """What the role allows, in one line."""
        return _ROLE_EXPLANATIONS[self.value]

    @property
    def may_write(self) -> bool:
        """Whether the role may change hosts and projects."""
        return self is not Role.VIEWER


_ROLE_EXPLANATIONS = {
    "owner": "Everything, and who else is in the team.",
    "member": "Deploys and changes hosts and projects.",
    "viewer": "Sees everything, changes nothing.",
}


class Team(models.Model):
    """People who share hosts and projects; each of these belongs to one team."""

    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_team")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"

    @property
    def role_choice(self) -> Role:
        """The role with its label, colour and rights."""
        return Role(self.role)


class Invitation(models.Model):
    """A one-time link into a team; only the hash of its token is stored.

    ``first_owner`` marks the link that the set-up prints; it dies with the first owner.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role.choices)
    token_digest = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=120, blank=True)
    first_owner = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="invitations_made"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"invitation to {self.team} as {self.role}"


class AuditEntry(models.Model):
    """Who did what to which thing. Rows are only added, and outlive what they name."""

    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="audit")
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=160)
    verb = models.CharField(max_length=60)
    target_kind = models.CharField(max_length=30, blank=True)
    target_uid = models.CharField(max_length=160, blank=True)
    target_name = models.CharField(max_length=160, blank=True)
    detail = models.CharField(max_length=400, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    operation_uid = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["team", "-id"])]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.target_kind} {self.target_name}"
