"""What the audit page shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.accounts.access import visible_to
from apps.accounts.models import AuditEntry, User

PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What is asked for; ``before`` is the id of the last entry of the page before."""

    text: str = ""
    verb: str = ""
    before: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Filter":
        """Read ``?q=&verb=&before=``; what makes no sense is left out."""
        before = query.get("before", "")
        return cls(
            text=query.get("q", "").strip()[:100],
            verb=query.get("verb", "").strip()[:60],
            before=int(before) if before.isdecimal() and len(before) < 18 else None,
        )


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """Entries, newest first; ``older`` continues after the last, or is None at the end."""

    entries: tuple[AuditEntry, ...]
    verbs: tuple[str, ...]
    older: int | None


def audit_page(user: User, wanted: Filter) -> AuditPage:
    """Return one page of the entries of the user's teams."""
    visible = visible_to(AuditEntry.objects.all(), user)
    verbs = visible.order_by("verb").values_list("verb", flat=True).distinct()
    rows = list(_matching(visible, wanted).order_by("-id")[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    older = shown[-1].pk if len(rows) > PAGE_SIZE else None
    return AuditPage(entries=tuple(shown), verbs=tuple(verbs), older=older)


def _matching(rows: QuerySet[AuditEntry], wanted: Filter) -> QuerySet[AuditEntry]:
    if wanted.verb:
        rows = rows.filter(verb=wanted.verb)
    if wanted.before:
        rows = rows.filter(pk__lt=wanted.before)
    for word in wanted.text.split():
        rows = rows.filter(
            Q(actor_name__icontains=word)
            | Q(verb__icontains=word)
            | Q(target_name__icontains=word)
            | Q(target_kind__icontains=word)
            | Q(detail__icontains=word)
            | Q(ip__startswith=word)
        )
    return rows
