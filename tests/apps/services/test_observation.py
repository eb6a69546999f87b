"""What agents report is written down once, and never goes back."""

import msgspec
import pytest

from agents.protocol.events import ContainerChanged, ContainerRemoved, ImagesChanged, Inventory
from agents.protocol.records import ImageRecord, NetworkRecord, VolumeRecord
from apps.core.events import dispatch
from apps.services.models import Container, Image, Network, Volume
from tests.observed import make_record


def present(host):
    return list(Container.objects.present().filter(host=host))


def test_a_container_is_taken_in_with_its_place_in_its_project(cast):
    record = make_record("shop", "web")
    dispatch(cast.host, ContainerChanged(at=1.0, container=record))
    (row,) = present(cast.host)
    assert (row.project, row.service, row.number, row.state) == ("shop", "web", 1, "running")
    assert row.record == record


def test_an_older_record_changes_nothing(cast):
    record = make_record(sequence=5, state="exited")
    older = msgspec.structs.replace(record, sequence=4, state="running")
    dispatch(cast.host, ContainerChanged(at=2.0, container=record))
    dispatch(cast.host, ContainerChanged(at=1.0, container=older))
    assert present(cast.host)[0].state == "exited"


def test_a_removed_container_does_not_come_back_with_a_second_delivery(cast):
    record = make_record(sequence=1)
    changed = ContainerChanged(at=1.0, container=record)
    dispatch(cast.host, changed)
    dispatch(cast.host, ContainerRemoved(at=2.0, container_id=record.id, sequence=2))
    dispatch(cast.host, changed)
    assert present(cast.host) == []


def test_an_inventory_replaces_what_was_there(cast):
    gone, kept = make_record(), make_record()
    dispatch(cast.host, ContainerChanged(at=1.0, container=gone))
    dispatch(cast.host, Inventory(at=2.0, containers=(kept,)))
    assert [row.container_id for row in present(cast.host)] == [kept.id]


def test_an_inventory_delivered_again_leaves_newer_containers(cast):
    inventory = Inventory(at=1.0)
    record = make_record()
    dispatch(cast.host, inventory)
    dispatch(cast.host, ContainerChanged(at=2.0, container=record))
    dispatch(cast.host, inventory)
    assert [row.container_id for row in present(cast.host)] == [record.id]


def test_an_old_tombstone_is_dropped_in_the_end(cast):
    record = make_record()
    dispatch(cast.host, ContainerChanged(at=1.0, container=record))
    dispatch(cast.host, Inventory(at=2.0))
    dispatch(cast.host, Inventory(at=10_000.0))
    assert not Container.objects.filter(host=cast.host).exists()


def test_images_networks_and_volumes_are_replaced(cast):
    full = Inventory(
        at=1.0,
        images=(ImageRecord(id="sha256:1", references=("busybox:latest",), size=1),),
        networks=(NetworkRecord(id="n1", name="shop_default", driver="bridge"),),
        volumes=(VolumeRecord(name="shop_data"),),
    )
    dispatch(cast.host, full)
    dispatch(cast.host, full)
    assert str(Image.objects.get(host=cast.host)) == "busybox:latest"
    dispatch(cast.host, ImagesChanged(at=2.0, images=()))
    assert not Image.objects.exists()
    assert (Network.objects.count(), Volume.objects.count()) == (1, 1)
    dispatch(cast.host, Inventory(at=3.0))
    assert (Network.objects.count(), Volume.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "label", "tone"),
    [
        ({}, "Running", "success"),
        ({"state": "exited", "exit_code": 0}, "Exited (0)", "neutral"),
        ({"state": "exited", "exit_code": 1}, "Exited (1)", "danger"),
        ({"state": "exited", "exit_code": 137, "oom_killed": True}, "Out of memory", "danger"),
        ({"health": "unhealthy"}, "Unhealthy", "danger"),
    ],
)
def test_a_state_is_shown_in_words_and_tone(cast, changes, label, tone):
    dispatch(cast.host, ContainerChanged(at=1.0, container=make_record(**changes)))
    shown = present(cast.host)[0].shown
    assert (shown.label, shown.tone) == (label, tone)
