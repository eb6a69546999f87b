"""The log viewer's socket, from the host's lines to the browser's messages."""

import time

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from apps.core.live import group_name
from apps.services.models import Container
from apps.services.observation import observe_container
from tests.apps.logs.conftest import Viewer
from tests.observed import make_record

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]


async def test_lines_written_before_are_shown_first_and_new_ones_follow(cast, stage):
    stage.host.write(stage.web, "w1", "w2")
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.texts() == ["w1", "w2"])
    await viewer.until(lambda: stage.host.followed[stage.web] > 0 or viewer.told("status"))
    stage.host.write(stage.clock, "c1")
    stage.host.write(stage.web, "w3")
    await viewer.until(lambda: set(viewer.texts()) == {"w1", "w2", "c1", "w3"})
    await viewer.close()


async def test_a_line_says_where_it_is_from(cast, stage):
    stage.host.write(stage.web, "hello")
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.lines)
    (line,) = viewer.lines
    assert (line["c"], line["s"], line["o"], line["q"]) == (stage.web, "web", "stdout", 0)
    assert abs(line["t"] / 1000 - time.time()) < 60
    await viewer.close()


async def test_the_containers_are_named_first(cast, stage):
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.told("status"))
    named = viewer.others[0]["containers"]
    assert {item["id"]: item["service"] for item in named} == {
        stage.web: "web",
        stage.clock: "clock",
    }
    assert len({item["color"] for item in named}) == 2
    assert viewer.told("status") == [{"type": "status", "state": "live"}]
    await viewer.close()


async def test_a_viewer_that_comes_back_gets_what_it_missed_and_nothing_twice(cast, stage):
    stage.host.write(stage.web, "1", "2")
    first = await Viewer(cast.viewer, stage.address).open()
    await first.until(lambda: first.texts() == ["1", "2"])
    await first.close()
    stage.host.write(stage.web, *map(str, range(3, 2003)))
    stage.host.drop_stream(stage.web)
    second = await Viewer(cast.viewer, stage.address).open(first.cursors())
    await second.until(lambda: len(second.lines) >= 2000)
    assert second.texts() == [str(number) for number in range(3, 2003)]
    await second.close()


async def test_lines_that_the_stream_lost_are_read_from_the_host(cast, stage):
    viewer = await Viewer(cast.viewer, stage.address).open({stage.web: 0})
    await viewer.until(lambda: viewer.told("status"))
    for round_ in range(5):
        stage.host.write(stage.web, *(f"{round_}.{number}" for number in range(300)))
        stage.host.drop_stream(stage.web)
    stage.host.write(stage.web, "end")
    await viewer.until(lambda: "end" in viewer.texts())
    expected = [f"{round_}.{number}" for round_ in range(5) for number in range(300)]
    assert viewer.texts() == [*expected, "end"]
    assert not viewer.told("gap")
    await viewer.close()


async def test_lines_that_the_host_lost_are_a_visible_gap(cast, stage):
    stage.host.write(stage.web, "1")
    first = await Viewer(cast.viewer, stage.address).open()
    await first.until(lambda: first.texts() == ["1"])
    await first.close()
    stage.host.write(stage.web, "2", "3", "4")
    stage.host.rotate(stage.web, keep=1)
    second = await Viewer(cast.viewer, stage.address).open(first.cursors())
    await second.until(lambda: second.texts() == ["4"])
    (gap,) = second.told("gap")
    assert (gap["c"], gap["from"], gap["to"]) == (stage.web, 2, 6)
    await second.close()


async def test_a_container_that_appears_is_followed(cast, stage):
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.told("status"))
    record = make_record(stage.project.name, "late")
    await database_sync_to_async(observe_container)(cast.host, record, 2.0)
    await tell(stage.project.topic)
    await viewer.until(lambda: len(viewer.told("containers")) == 2)
    stage.host.write(record.id, "here I am")
    await viewer.until(lambda: "here I am" in viewer.texts())
    await viewer.close()


async def test_a_container_that_ended_is_read_to_its_end(cast, stage):
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.told("status"))
    stage.host.write(stage.web, "last words")
    stage.host.drop_stream(stage.web)
    row = Container.objects.filter(container_id=stage.web)
    await database_sync_to_async(row.update)(state="exited", exit_code=0)
    await tell(stage.project.topic)
    await viewer.until(lambda: viewer.texts() == ["last words"])
    await viewer.close()


async def test_a_host_that_went_away_is_said_so_and_taken_up_again(cast, stage):
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.told("status"))
    await set_state(cast.host, "offline")
    await viewer.until(lambda: viewer.told("status")[-1]["state"] == "host-offline")
    stage.host.write(stage.web, "while you were away")
    stage.host.drop_stream(stage.web)
    await set_state(cast.host, "online")
    await viewer.until(lambda: viewer.told("status")[-1]["state"] == "live")
    await viewer.until(lambda: viewer.texts() == ["while you were away"])
    await viewer.close()


async def test_a_host_that_does_not_answer_is_asked_again(cast, stage):
    stage.host.write(stage.web, "patience")
    stage.host.answering = False
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.told("status"))
    stage.host.answering = True
    await viewer.until(lambda: viewer.texts() == ["patience"])
    await viewer.close()


async def test_one_container_has_its_own_log(cast, stage):
    stage.host.write(stage.web, "mine")
    stage.host.write(stage.clock, "not mine")
    address = f"/ws/logs/containers/{cast.host.uid}/{stage.web}/"
    viewer = await Viewer(cast.viewer, address).open()
    await viewer.until(lambda: viewer.lines)
    assert viewer.texts() == ["mine"]
    await viewer.close()


@pytest.mark.parametrize("kind", ["projects", "containers"])
async def test_a_stranger_is_refused(cast, stage, kind):
    container = f"/ws/logs/containers/{cast.host.uid}/{stage.web}/"
    address = stage.address if kind == "projects" else container
    viewer = Viewer(cast.stranger, address)
    assert await viewer.socket.connect() == 4404


@pytest.mark.parametrize(
    "text", ["", '{"type":"other"}', '{"type":"resume","cursors":{"a":-1}}', "[1]"]
)
async def test_what_is_no_resume_closes_the_socket(cast, stage, text):
    viewer = Viewer(cast.viewer, stage.address)
    await viewer.socket.connect()
    await viewer.socket.send(text)
    closed = await viewer.socket.receive()
    assert (closed["type"], closed["code"]) == ("websocket.close", 1003)
    await viewer.close()


async def test_a_line_takes_less_than_a_tenth_of_a_second(cast, stage):
    viewer = await Viewer(cast.viewer, stage.address).open()
    await viewer.until(lambda: viewer.told("status"))
    stage.host.write(stage.web, "warm")
    await viewer.until(lambda: viewer.lines)
    delays = []
    for number in range(20):
        begun = time.monotonic()
        stage.host.write(stage.web, str(number))
        await viewer.until(lambda number=number: viewer.texts()[-1] == str(number))
        delays.append(time.monotonic() - begun)
    assert sorted(delays)[10] < 0.1
    await viewer.close()


async def tell(topic: str) -> None:
    layer = get_channel_layer()
    await layer.group_send(group_name(topic), {"type": "changed", "topic": topic})


async def set_state(host, state: str) -> None:
    row = type(host).objects.filter(pk=host.pk)
    await database_sync_to_async(row.update)(state=state)
    await tell(f"host:{host.uid}")
