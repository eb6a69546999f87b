"""Containers, images, networks and volumes on a host's page, and the way to a container."""

from dataclasses import dataclass

from django.urls import reverse

from apps.accounts.models import User
from apps.hosts.models import Host
from apps.hosts.sections import HostSection, host_section
from apps.operations.targets import target_link
from apps.services.models import Container, Image, Network, Volume
from apps.services.presentation import ContainerView, view_container


@dataclass(frozen=True, kw_only=True)
class Stores:
    """What an engine holds besides containers."""

    images: tuple[Image, ...]
    networks: tuple[Network, ...]
    volumes: tuple[Volume, ...]


@host_section(order=20)
def containers(user: User, host: Host) -> HostSection:
    """All containers, those of projects first."""
    rows = Container.objects.present().filter(host=host).select_related("host")
    views: list[ContainerView] = [view_container(row, "") for row in rows]
    return HostSection(
        title="Containers", icon="container", template="services/_containers.html", values=views
    )


@host_section(order=30)
def stores(user: User, host: Host) -> HostSection:
    """Images, networks and volumes."""
    values = Stores(
        images=tuple(Image.objects.filter(host=host)),
        networks=tuple(Network.objects.filter(host=host)),
        volumes=tuple(Volume.objects.filter(host=host)),
    )
    return HostSection(
        title="Images, networks and volumes",
        icon="image",
        template="services/_stores.html",
        values=values,
    )


@target_link("container")
def container_link(uid: str) -> str:
    """Return the path of a container's page; ``uid`` is ``<host uid>/<container id>``."""
    host_uid, _, container_id = uid.partition("/")
    return reverse("services:container", args=[host_uid, container_id])
