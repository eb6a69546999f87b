"""One row for each requested act, and the lines that it put out."""

from datetime import timedelta

import msgspec
from django.db import models

from agents.protocol.commands import AnyCommand, Command
from agents.protocol.events import ErrorInfo
from apps.accounts.models import Team, User
from apps.core.errors import SetupError
from apps.core.ids import new_uid
from apps.core.sealing import open_text, seal_text
from apps.hosts.models import Host

# How long a running operation lives without a sign of its agent.
LEASE = timedelta(seconds=30)
_PURPOSE = "webpanel commands"


class OperationState(models.TextChoices):
    """How far an operation is.

    A state never goes back to one of a lower rank. ``lost`` is the panel's guess when the
    lease ran out, so the agent's own word, should it still come, outranks it.
    """

    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    RUNNING = "running", "Running"
    CANCELLING = "cancelling", "Cancelling"
    LOST = "lost", "Lost"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def rank(self) -> int:
        """Where the state stands in time; equal ranks exclude each other."""
        return _RANKS[self.value]

    @property
    def tone(self) -> str:
        """The colour of the state's badge."""
        return _TONES[self.value]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is expected."""
        return self.rank >= OperationState.LOST.rank

    def states_before(self) -> list[str]:
        """Return the states from which this one may follow."""
        return [state for state, rank in _RANKS.items() if rank < self.rank]


_RANKS = {
    "queued": 0,
    "sent": 10,
    "running": 20,
    "cancelling": 30,
    "lost": 40,
    "succeeded": 50,
    "failed": 50,
    "cancelled": 50,
}
_TONES = {
    "queued": "neutral",
    "sent": "busy",
    "running": "busy",
    "cancelling": "warning",
    "lost": "danger",
    "succeeded": "success",
    "failed": "danger",
    "cancelled": "neutral",
}


class Operation(models.Model):
    """A requested act: who asked for what, on what, and how it went.

    ``state`` and what follows it are written by :mod:`apps.operations.transitions` alone.
    ``command_sealed`` is what was sent, kept for a retry, encrypted as it may hold secrets;
    it is shown to nobody.
    """

    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="operations")
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="operations")
    verb = models.CharField(max_length=40)
    target_kind = models.CharField(max_length=30)
    target_uid = models.CharField(max_length=160, blank=True)
    target_name = models.CharField(max_length=160, blank=True)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_by_name = models.CharField(max_length=160)
    retry_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    command_sealed = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    state = models.CharField(
        max_length=10, choices=OperationState.choices, default=OperationState.QUEUED, db_index=True
    )
    sent_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    message = models.CharField(max_length=400, blank=True)
    summary = models.CharField(max_length=400, blank=True)
    errors_json = models.TextField(default="[]")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["team", "-id"]),
            models.Index(fields=["target_kind", "target_uid", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.target_name}".strip()

    def keep_command(self, command: Command) -> None:
        """Take what is to be sent; the row is not saved."""
        self.command_sealed = seal_text(msgspec.json.encode(command).decode(), _PURPOSE)

    @property
    def command(self) -> AnyCommand:
        """What was or will be sent; raises :class:`SetupError` after a change of the key."""
        text = open_text(self.command_sealed, _PURPOSE)
        if text is None:
            raise SetupError("The command cannot be read: the panel's secret key was changed.")
        command: AnyCommand = msgspec.json.decode(text, type=AnyCommand)
        return command

    @property
    def state_choice(self) -> OperationState:
        """The state with its label, colour and rank."""
        return OperationState(self.state)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is expected."""
        return self.state_choice.has_ended

    @property
    def percent(self) -> int:
        """Progress from 0 to 100."""
        if self.state == OperationState.SUCCEEDED:
            return 100
        return min(100, self.done * 100 // self.total) if self.total else 0

    @property
    def errors(self) -> tuple[ErrorInfo, ...]:
        """What went wrong, the cause first."""
        return msgspec.json.decode(self.errors_json, type=tuple[ErrorInfo, ...])


class OperationLine(models.Model):
    """One line of an operation's output, numbered from 1 by the agent."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="lines")
    seq = models.PositiveIntegerField()
    at = models.FloatField()
    stream = models.CharField(max_length=6)
    service = models.CharField(max_length=80, blank=True)
    text = models.TextField()

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "seq"], name="one_line_per_seq")
        ]

    def __str__(self) -> str:
        return self.text


class SeenMessage(models.Model):
    """An event that was handled; a second one with its id is a replay. Kept until it expires."""

    message_id = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.message_id
