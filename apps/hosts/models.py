"""Machines that run an agent, and the tokens by which they join."""

from datetime import datetime, timedelta

import msgspec
from django.db import models
from django.utils import timezone

from agents.protocol.records import HostFacts
from apps.accounts.models import Team, User
from apps.core.ids import new_uid

# A host that has not sent a heartbeat for so long counts as offline.
SILENCE = timedelta(seconds=20)


class HostState(models.TextChoices):
    """Whether the panel hears a host. ``revoked`` is for ever."""

    PENDING = "pending", "Joining"
    ONLINE = "online", "Online"
    OFFLINE = "offline", "Offline"
    REVOKED = "revoked", "Revoked"

    @property
    def tone(self) -> str:
        """The colour of the state's badge."""
        tones = {"pending": "busy", "online": "success", "offline": "danger"}
        return tones.get(self.value, "neutral")


class Host(models.Model):
    """A machine that runs an agent.

    ``state`` is written by :mod:`apps.hosts.presence`, and by revoking; ``facts_json``,
    ``load``, ``memory_used``, ``disk_used`` and ``last_seen_at`` only by the agent's events.
    """

    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="hosts")
    name = models.CharField(max_length=80)
    state = models.CharField(
        max_length=10, choices=HostState.choices, default=HostState.PENDING, db_index=True
    )
    certificate = models.TextField()
    facts_json = models.TextField(blank=True)
    load = models.FloatField(null=True)
    memory_used = models.BigIntegerField(null=True)
    disk_used = models.BigIntegerField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    def lock(self) -> None:
        """Have all who lock this host wait for the end of the running transaction."""
        Host.objects.select_for_update(no_key=True).get(pk=self.pk)

    @property
    def state_choice(self) -> HostState:
        """The state with its label and colour."""
        return HostState(self.state)

    @property
    def is_online(self) -> bool:
        """Whether the panel hears the host."""
        return self.state == HostState.ONLINE

    @property
    def facts(self) -> HostFacts | None:
        """What the agent reported of the machine, or None before its first report."""
        return msgspec.json.decode(self.facts_json, type=HostFacts) if self.facts_json else None


class JoinToken(models.Model):
    """A one-time right to add a host to a team; only the token's hash is stored."""

    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="join_tokens")
    token_digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"join token of {self.team}"

    def is_usable(self, now: datetime | None = None) -> bool:
        """Say whether a host could still join with it."""
        fresh = self.expires_at > (now or timezone.now())
        return fresh and self.used_at is None and self.revoked_at is None
