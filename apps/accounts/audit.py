"""The one writer of the audit log."""

from dataclasses import dataclass

from apps.accounts.models import AuditEntry, Team, User
from apps.core.text import fit


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an act was done to, in words that outlive it."""

    kind: str
    uid: str = ""
    name: str = ""


def record(
    verb: str,
    target: Target,
    *,
    team: Team | None,
    actor: User | None = None,
    ip: str = "",
    detail: str = "",
    operation_uid: str = "",
) -> AuditEntry:
    """Add an entry, in the caller's transaction; without an actor it is the panel's own act."""
    return AuditEntry.objects.create(
        team=team,
        actor=actor,
        actor_name=str(actor) if actor else "panel",
        verb=verb,
        target_kind=target.kind,
        target_uid=fit(target.uid, 160),
        target_name=fit(target.name, 160),
        detail=fit(detail, 400),
        ip=ip,
        operation_uid=operation_uid,
    )
