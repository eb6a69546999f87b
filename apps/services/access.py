"""Who may see and change containers: whoever may do so with their host."""

from django.http import Http404

from apps.accounts.access import require_team
from apps.accounts.models import User
from apps.core.live import topic_checker
from apps.hosts.access import may_watch_host
from apps.services.models import Container


def get_container_for(
    user: User, host_uid: str, container_id: str, *, write: bool = False
) -> Container:
    """Return the container; raises ``Http404`` for strangers, ``PermissionDenied`` for readers."""
    rows = Container.objects.present().select_related("host__team")
    container = rows.filter(host__uid=host_uid, container_id=container_id).first()
    if container is None:
        raise Http404
    require_team(user, container.host.team, write=write)
    return container


def container_topic(host_uid: str, container_id: str) -> str:
    """Return the name under which changes of a container are announced."""
    return f"container:{host_uid}/{container_id}"


@topic_checker("container")
def may_watch_container(user: User, rest: str) -> bool:
    """Members of its host's team hear of a container."""
    host_uid, _, _ = rest.partition("/")
    return may_watch_host(user, host_uid)
