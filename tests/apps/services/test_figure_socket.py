"""The socket of live figures, from the host's samples to the browser's messages."""

import asyncio

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from agents.protocol.control import StatsSample
from apps.core.live import group_name
from apps.services import watching
from apps.services.models import Container
from tests.websocket import WebSocket

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]


def address(cast, container_id: str) -> str:
    return f"/ws/containers/{cast.host.uid}/{container_id}/figures/"


async def opened(cast, container_id: str) -> WebSocket:
    socket = WebSocket(address(cast, container_id), cast.viewer)
    assert await socket.connect() == 0
    return socket


async def next_of(socket: WebSocket, kind: str) -> dict:
    while (message := await socket.receive_json())["type"] != kind:
        pass
    return message


async def asked(host, times: int) -> None:
    async with asyncio.timeout(8):
        while host.watches < times:
            await asyncio.sleep(0.01)


async def test_samples_become_figures(cast, host, running):
    host.uses(running, 1, 2)
    socket = await opened(cast, running)
    figures = await next_of(socket, "figures")
    assert figures["shown"]["cpu"] == "0.25"
    assert figures["filled"]["memory"] == 0.25
    assert [cpu for _, cpu, _ in figures["points"]] == [None, 0.25]
    assert (await next_of(socket, "status"))["state"] == "live"
    host.uses(running, 4)
    assert len((await next_of(socket, "figures"))["points"]) == 1
    await socket.disconnect()


async def test_the_host_is_asked_while_somebody_looks_and_not_after(
    cast, host, running, monkeypatch
):
    monkeypatch.setattr(watching, "RENEW_SECONDS", 0.05)
    socket = await opened(cast, running)
    await asked(host, 3)
    await socket.disconnect()
    count = host.watches
    socket = await opened(cast, running)
    await asked(host, count + 1)
    await socket.disconnect()


async def test_a_container_that_does_not_run_is_not_asked_about(cast, host, running):
    row = Container.objects.filter(container_id=running)
    await database_sync_to_async(row.update)(state="exited")
    socket = await opened(cast, running)
    assert (await next_of(socket, "status"))["state"] == "stopped"
    assert host.watches == 0
    await database_sync_to_async(row.update)(state="running")
    await tell(cast)
    await asked(host, 1)
    await socket.disconnect()


async def test_an_offline_host_is_said_to_be_and_taken_up_again(cast, host, running):
    await set_state(cast.host, "offline")
    socket = await opened(cast, running)
    assert (await next_of(socket, "status"))["state"] == "host-offline"
    await set_state(cast.host, "online")
    await tell(cast)
    await asked(host, 1)
    host.uses(running, 1)
    assert await next_of(socket, "figures")
    await socket.disconnect()


async def test_what_the_engine_cannot_tell_is_passed_on(cast, host, running):
    host.uses(running)
    host.publish(StatsSample(at=1.0, error="the engine does not count"))
    socket = await opened(cast, running)
    status = await next_of(socket, "status")
    assert (status["state"], status["text"]) == ("unknown", "the engine does not count")
    await socket.disconnect()


async def test_a_silent_host_is_said_to_be(cast, host, running, monkeypatch):
    monkeypatch.setattr(watching, "SILENCE_SECONDS", 0.2)
    host.uses(running, 1)
    socket = await opened(cast, running)
    assert (await next_of(socket, "status"))["state"] == "live"
    assert (await next_of(socket, "status"))["state"] == "silent"
    await socket.disconnect()


async def test_a_stranger_is_refused(cast, host, running):
    assert await WebSocket(address(cast, running), cast.stranger).connect() == 4404


async def test_who_loses_the_right_sees_no_more(cast, host, running):
    socket = await opened(cast, running)
    await database_sync_to_async(Container.objects.filter(container_id=running).delete)()
    await tell(cast)
    while (message := await socket.receive())["type"] == "websocket.send":
        pass
    assert message["type"] == "websocket.close"
    await socket.disconnect()


async def tell(cast) -> None:
    topic = f"host:{cast.host.uid}"
    layer = get_channel_layer()
    await layer.group_send(group_name(topic), {"type": "changed", "topic": topic})


async def set_state(host, state: str) -> None:
    await database_sync_to_async(type(host).objects.filter(pk=host.pk).update)(state=state)
