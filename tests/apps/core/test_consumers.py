"""Websockets: who gets in, who is told what."""

import json

import pytest
from channels.db import database_sync_to_async

from apps.accounts.models import Membership
from apps.core import consumers
from apps.core.consumers import NOT_FOUND, NOT_SIGNED_IN, NOT_UNDERSTOOD, UpdatesConsumer
from apps.core.live import nudge
from tests.websocket import WebSocket

pytestmark = pytest.mark.django_db(transaction=True)


async def watching(user, *topics: str) -> WebSocket:
    socket = WebSocket("/ws/updates/", user)
    assert await socket.connect() == 0
    await socket.send(json.dumps({"type": "watch", "topics": topics}))
    # The watch is in force once its answer, nothing, had time to come.
    assert await socket.receives_nothing()
    return socket


async def test_a_person_who_is_not_signed_in_is_refused():
    assert await WebSocket("/ws/updates/", None).connect() == NOT_SIGNED_IN


async def test_an_address_that_is_none_is_refused(cast):
    assert await WebSocket("/ws/nothing/", cast.viewer).connect() == NOT_FOUND


async def test_a_member_is_told_of_a_change_of_the_teams_host(cast):
    socket = await watching(cast.viewer, f"host:{cast.host.uid}")
    await database_sync_to_async(nudge)(f"host:{cast.host.uid}")
    assert await socket.receive_json() == {
        "type": "changed",
        "topic": f"host:{cast.host.uid}",
    }
    await socket.disconnect()


@pytest.mark.parametrize("prefix", ["host", "team", "nonsense"])
async def test_a_stranger_is_told_nothing(cast, prefix):
    uid = cast.team.uid if prefix == "team" else cast.host.uid
    socket = await watching(cast.stranger, f"{prefix}:{uid}")
    await database_sync_to_async(nudge)(f"{prefix}:{uid}")
    assert await socket.receives_nothing()
    await socket.disconnect()


async def test_who_was_removed_from_the_team_is_told_nothing_more(cast):
    socket = await watching(cast.viewer, f"host:{cast.host.uid}")
    await database_sync_to_async(Membership.objects.filter(user=cast.viewer).delete)()
    await database_sync_to_async(nudge)(f"host:{cast.host.uid}")
    assert await socket.receives_nothing()
    await socket.disconnect()


async def test_who_may_no_longer_sign_in_is_put_out(cast, monkeypatch):
    monkeypatch.setattr(UpdatesConsumer, "recheck_seconds", 0.3)
    socket = await watching(cast.viewer)
    cast.viewer.is_active = False
    await database_sync_to_async(cast.viewer.save)()
    assert (await socket.receive())["code"] == NOT_FOUND


def sign_in(client, user):
    client.force_login(user)
    return client.session


def change_password(user):
    changed = type(user).objects.get(pk=user.pk)
    changed.set_password("another long password")
    changed.save()


@pytest.mark.parametrize("stays", [True, False])
async def test_a_new_password_ends_the_sockets_of_older_sessions(cast, client, monkeypatch, stays):
    monkeypatch.setattr(UpdatesConsumer, "recheck_seconds", 0.1)
    session = await database_sync_to_async(sign_in)(client, cast.viewer)
    socket = WebSocket("/ws/updates/", cast.viewer, session)
    assert await socket.connect() == 0
    if stays:
        assert await socket.receives_nothing(0.4)
        await socket.disconnect()
        return
    await database_sync_to_async(change_password)(cast.viewer)
    assert (await socket.receive())["code"] == NOT_FOUND


async def test_a_person_who_was_deleted_is_put_out(cast, monkeypatch):
    monkeypatch.setattr(UpdatesConsumer, "recheck_seconds", 0.1)
    socket = await watching(cast.viewer)
    await database_sync_to_async(type(cast.viewer).objects.filter(pk=cast.viewer.pk).delete)()
    assert (await socket.receive())["code"] == NOT_FOUND


async def test_of_too_many_topics_only_some_are_looked_at(cast, monkeypatch):
    asked = []
    monkeypatch.setattr(consumers, "may_watch", lambda user, topic: asked.append(topic))
    socket = await watching(cast.viewer, *(f"host:{number}" for number in range(5000)))
    assert 0 < len(asked) <= consumers.MAX_TOPICS
    await socket.disconnect()


async def test_what_is_not_understood_ends_the_line(cast):
    socket = await watching(cast.viewer)
    await socket.send('{"type": "other"}')
    assert (await socket.receive())["code"] == NOT_UNDERSTOOD
