"""The frame that all pages of one container have in common."""

from dataclasses import dataclass

from django.urls import reverse

from apps.accounts.access import role_in
from apps.accounts.models import User
from apps.core.components import Crumb, Tab
from apps.services.access import container_topic
from apps.services.models import Container

_TABS = (
    ("Overview", "services:container", "container"),
    ("Processes", "services:processes", "cpu"),
    ("Health", "services:health", "check-circle"),
    ("Kernel", "services:kernel", "lock"),
)


@dataclass(frozen=True, kw_only=True)
class ContainerFrame:
    """What is around the content of a container's page."""

    container: Container
    crumbs: tuple[Crumb, ...]
    tabs: tuple[Tab, ...]
    topic: str
    may_write: bool


def frame_for(user: User, container: Container, tab: str) -> ContainerFrame:
    """Return the frame with ``tab`` as the current one."""
    host = container.host
    role = role_in(user, host.team)
    place = (host.uid, container.container_id)
    return ContainerFrame(
        container=container,
        crumbs=(
            Crumb(label="Hosts", url="/hosts/"),
            Crumb(label=host.name, url=f"/hosts/{host.uid}/"),
            Crumb(label=container.name),
        ),
        tabs=tuple(
            Tab(label=label, url=reverse(name, args=place), icon=icon, active=label == tab)
            for label, name, icon in _TABS
        ),
        topic=container_topic(*place),
        may_write=role is not None and role.may_write,
    )
