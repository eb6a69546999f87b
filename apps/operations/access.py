"""Who may see and change operations."""

from django.db.models import QuerySet
from django.http import Http404

from apps.accounts.access import require_team, visible_to
from apps.accounts.models import User
from apps.core.live import topic_checker
from apps.operations.models import Operation


def operations_for(user: User) -> QuerySet[Operation]:
    """Return the operations of the user's teams, newest first, with their hosts."""
    return visible_to(Operation.objects.select_related("host"), user)


def get_operation_for(user: User, uid: str, *, write: bool = False) -> Operation:
    """Return the operation; raises ``Http404`` for strangers, ``PermissionDenied`` for readers."""
    found = Operation.objects.select_related("host", "team", "retry_of").filter(uid=uid).first()
    if found is None:
        raise Http404
    require_team(user, found.team, write=write)
    return found


@topic_checker("operation")
def may_watch_operation(user: User, uid: str) -> bool:
    """Members of its team hear of an operation."""
    return visible_to(Operation.objects.filter(uid=uid), user).exists()
