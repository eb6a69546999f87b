"""Writing down what agents report: the one writer of this app's tables.

Events arrive at least once and in the host's order. ``sequence`` settles which of two
records of a container is the newer; ``observed_at`` keeps an inventory that is delivered a
second time from hiding containers that are newer than it.
"""

import logging
import re

import msgspec

from agents.compose.labels import CONTAINER_NUMBER, PROJECT, SERVICE
from agents.protocol.events import ContainerRemoved, Inventory
from agents.protocol.records import ContainerRecord, ImageRecord, NetworkRecord, VolumeRecord
from apps.hosts.models import Host
from apps.services.models import Container, Image, Network, Volume

logger = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
# Seconds for which a removed container is remembered.
TOMBSTONE_SECONDS = 3600.0


def observe_container(host: Host, record: ContainerRecord, at: float) -> bool:
    """Take in a record unless a newer one is known; return whether it was taken.

    One with an id that could not stand in an address is left out.
    """
    if not _ID.fullmatch(record.id):
        logger.warning("Host %s reports a container with the id %.80r", host.uid, record.id)
        return False
    values = _columns(record, at)
    row, created = Container.objects.get_or_create(
        host=host, container_id=record.id, defaults=values
    )
    if created:
        return True
    newer = Container.objects.filter(pk=row.pk, sequence__lte=record.sequence)
    return bool(newer.update(**values))


def observe_removal(host: Host, event: ContainerRemoved) -> bool:
    """Mark a container as gone; return whether it was there."""
    rows = Container.objects.filter(
        host=host, container_id=event.container_id, sequence__lte=event.sequence, removed_at=None
    )
    return bool(rows.update(sequence=event.sequence, removed_at=event.at, observed_at=event.at))


def observe_inventory(host: Host, event: Inventory) -> None:
    """Replace all that was observed of the host before."""
    for record in event.containers:
        observe_container(host, record, event.at)
    held = {record.id for record in event.containers}
    older = Container.objects.filter(host=host, removed_at=None, observed_at__lte=event.at)
    older.exclude(container_id__in=held).update(removed_at=event.at)
    stale = Container.objects.filter(host=host, removed_at__lt=event.at - TOMBSTONE_SECONDS)
    stale.delete()
    observe_images(host, event.images)
    observe_networks(host, event.networks)
    observe_volumes(host, event.volumes)


def observe_images(host: Host, records: tuple[ImageRecord, ...]) -> None:
    """The host's images are these now."""
    rows = [
        Image(
            host=host,
            image_id=record.id,
            references=list(record.references),
            size=record.size,
            created_at=record.created_at,
        )
        for record in records
    ]
    Image.objects.filter(host=host).exclude(image_id__in=[row.image_id for row in rows]).delete()
    Image.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["host", "image_id"],
        update_fields=["references", "size", "created_at"],
    )


def observe_networks(host: Host, records: tuple[NetworkRecord, ...]) -> None:
    """The host's networks are these now."""
    rows = [
        Network(
            host=host,
            network_id=record.id,
            name=record.name,
            driver=record.driver,
            subnet=record.subnet,
            gateway=record.gateway,
            internal=record.internal,
            labels=record.labels,
        )
        for record in records
    ]
    held = [row.network_id for row in rows]
    Network.objects.filter(host=host).exclude(network_id__in=held).delete()
    Network.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["host", "network_id"],
        update_fields=["name", "driver", "subnet", "gateway", "internal", "labels"],
    )


def observe_volumes(host: Host, records: tuple[VolumeRecord, ...]) -> None:
    """The host's volumes are these now."""
    rows = [
        Volume(
            host=host,
            name=record.name,
            driver=record.driver,
            mountpoint=record.mountpoint,
            labels=record.labels,
        )
        for record in records
    ]
    Volume.objects.filter(host=host).exclude(name__in=[row.name for row in rows]).delete()
    Volume.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["host", "name"],
        update_fields=["driver", "mountpoint", "labels"],
    )


def _columns(record: ContainerRecord, at: float) -> dict[str, str | int | float | bool | None]:
    number = record.labels.get(CONTAINER_NUMBER, "")
    return {
        "sequence": record.sequence,
        "observed_at": at,
        "removed_at": None,
        "name": record.name,
        "project": record.labels.get(PROJECT, ""),
        "service": record.labels.get(SERVICE, ""),
        "number": int(number) if number.isdecimal() else 0,
        "state": record.state,
        "exit_code": record.exit_code,
        "oom_killed": record.oom_killed,
        "stopped": record.stopped,
        "health": record.health,
        "restart_count": record.restart_count,
        "record_json": msgspec.json.encode(record).decode(),
    }
