"""Who may see and change hosts."""

from django.db.models import QuerySet
from django.http import Http404

from apps.accounts.access import require_team, visible_to
from apps.accounts.models import User
from apps.core.live import topic_checker
from apps.hosts.models import Host, HostState, JoinToken


def hosts_for(user: User) -> QuerySet[Host]:
    """Return the hosts of the user's teams, without the revoked ones."""
    hosts = Host.objects.exclude(state=HostState.REVOKED).select_related("team")
    return visible_to(hosts, user)


def get_host_for(user: User, uid: str, *, write: bool = False) -> Host:
    """Return the host; raises ``Http404`` for strangers, ``PermissionDenied`` for readers."""
    host = Host.objects.select_related("team").filter(uid=uid).first()
    if host is None:
        raise Http404
    require_team(user, host.team, write=write)
    return host


def get_join_token_for(user: User, uid: str) -> JoinToken:
    """Return the token, to revoke it; raises ``Http404`` or ``PermissionDenied``."""
    token = JoinToken.objects.select_related("team").filter(uid=uid).first()
    if token is None:
        raise Http404
    require_team(user, token.team, write=True)
    return token


@topic_checker("host")
def may_watch_host(user: User, uid: str) -> bool:
    """Members of its team hear of a host."""
    return visible_to(Host.objects.filter(uid=uid), user).exists()
