"""Websocket consumers: the base of all, and the one that passes nudges on to pages.

Close codes: 4401 not signed in, 4404 not there for this person, 1003 not understood.
"""

import asyncio
import contextlib
import logging
from typing import Literal

import msgspec
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import DatabaseError
from django.utils.crypto import constant_time_compare

from apps.core.live import group_name, may_watch

logger = logging.getLogger(__name__)

NOT_SIGNED_IN = 4401
NOT_FOUND = 4404
NOT_UNDERSTOOD = 1003
RECHECK_SECONDS = 30.0
MAX_TOPICS = 200


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """A socket of one signed-in person whose rights are checked at first and every 30 s.

    Subclasses say in :meth:`may_stay` (sync, may query) whether the person may look, do
    their work from :meth:`opened` on, and undo it in :meth:`closed`.
    """

    user: AbstractUser
    recheck_seconds = RECHECK_SECONDS
    _recheck: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Refuse before accepting."""
        user = self.scope.get("user")
        if not isinstance(user, get_user_model()):
            await self.close(code=NOT_SIGNED_IN)
            return
        self.user = user
        if not await database_sync_to_async(self.may_stay)():
            await self.close(code=NOT_FOUND)
            return
        await self.accept()
        self._recheck = asyncio.create_task(self._check_again())
        await self.opened()

    async def disconnect(self, code: int) -> None:
        """Undo what was begun; also called for a socket that was refused."""
        if self._recheck is not None:
            self._recheck.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._recheck
            await self.closed()

    def may_stay(self) -> bool:
        """Say whether the person may look; runs in a thread and may query."""
        return bool(self.user.is_active)

    async def opened(self) -> None:
        """Begin; the socket was accepted."""

    async def closed(self) -> None:
        """End; the socket is closed or closing."""

    async def send_struct(self, message: msgspec.Struct) -> None:
        """Send a message as JSON text."""
        await self.send(text_data=msgspec.json.encode(message).decode())

    async def _check_again(self) -> None:
        """Close when the person may look no more, and when that cannot be found out."""
        try:
            while await self._sleep_and_look():
                pass
        except DatabaseError as error:
            logger.warning("A socket is closed, as its rights cannot be read: %s", error)
        await self.close(code=NOT_FOUND)

    async def _sleep_and_look(self) -> bool:
        await asyncio.sleep(self.recheck_seconds)
        stays: bool = await database_sync_to_async(self._still_may_stay)()
        return stays

    def _still_may_stay(self) -> bool:
        user = get_user_model().objects.filter(pk=self.user.pk, is_active=True).first()
        if user is None or not self._is_signed_in(user):
            return False
        self.user = user
        return self.may_stay()

    def _is_signed_in(self, user: AbstractUser) -> bool:
        """Say whether the session is still there and from before no change of the password."""
        session = self.scope.get("session")
        if session is None or not session.session_key:
            return True
        # A new one of its class (Channels hides it behind a proxy), as a session is read once.
        now = session.__class__(session.session_key)
        known = str(now.get(HASH_SESSION_KEY, ""))
        return constant_time_compare(known, user.get_session_auth_hash())


class NothingConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # as above
    """Refuses a socket to an address that is none; else it would be an error in the log."""

    async def connect(self) -> None:
        """Refuse before accepting."""
        await self.close(code=NOT_FOUND)


class Watch(msgspec.Struct, frozen=True, kw_only=True, tag="watch"):
    """Client → panel: tell me of these topics, too."""

    topics: tuple[str, ...]


class Changed(msgspec.Struct, frozen=True, kw_only=True, tag="changed"):
    """Panel → client: something of this topic changed."""

    topic: str


class Nudge(msgspec.Struct, frozen=True, kw_only=True):
    """As it comes from the channel layer."""

    type: Literal["changed"]
    topic: str


class UpdatesConsumer(LiveConsumer):
    """``/ws/updates/``: passes nudges on for the topics that the page shows."""

    async def opened(self) -> None:
        """Start with no topic; each is remembered once the person was found to have a right."""
        self.topics: set[str] = set()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a :class:`Watch`; topics that are not the person's are left out silently."""
        try:
            message = msgspec.json.decode(text_data or "", type=Watch)
        except msgspec.MsgspecError:
            await self.close(code=NOT_UNDERSTOOD)
            return
        wanted = set(message.topics) - self.topics
        # Each costs a query, so what is too many is left out before it is looked at.
        room = MAX_TOPICS - len(self.topics)
        for topic in sorted(await self._allowed(set(sorted(wanted)[:room]))):
            self.topics.add(topic)
            await self.channel_layer.group_add(group_name(topic), self.channel_name)

    async def closed(self) -> None:
        """Leave the groups."""
        for topic in self.topics:
            await self.channel_layer.group_discard(group_name(topic), self.channel_name)

    async def changed(self, message: dict[str, str]) -> None:
        """Pass a nudge on (the channel layer calls this); rights may have gone meanwhile."""
        nudge = msgspec.convert(message, type=Nudge)
        if nudge.topic in await self._allowed({nudge.topic}):
            await self.send_struct(Changed(topic=nudge.topic))

    async def _allowed(self, topics: set[str]) -> set[str]:
        check = database_sync_to_async(_allowed_topics)
        allowed: set[str] = await check(self.user, topics)
        return allowed


def _allowed_topics(user: AbstractUser, topics: set[str]) -> set[str]:
    return {topic for topic in topics if may_watch(user, topic)}
