"""``/ws/logs/…``: the log viewer's socket. See ``apps.logs.wire`` for what is said on it."""

import asyncio
import logging

import msgspec
import redis
from channels.db import database_sync_to_async

from apps.accounts.models import User
from apps.core.consumers import NOT_UNDERSTOOD, LiveConsumer
from apps.core.live import group_name
from apps.logs.session import LogSession
from apps.logs.sources import RedisLogs
from apps.logs.viewing import ContainerSubject, ProjectSubject, Subject, View
from apps.logs.wire import MAX_CURSORS, Resume

logger = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013


class LogConsumer(LiveConsumer):
    """Streams the lines of its subject from the moment the browser says where it stands."""

    user: User
    subject: Subject
    view: View | None = None
    _session: LogSession | None = None
    _tasks: tuple[asyncio.Task[None], ...] = ()

    def find_subject(self) -> Subject:
        """Return what the address names."""
        raise NotImplementedError

    def may_stay(self) -> bool:
        """Query what there is to see; also remembers it."""
        self.subject = self.find_subject()
        self.view = self.subject.load(self.user)
        return self.view is not None

    async def opened(self) -> None:
        """Hear of changes from now on; lines come once the browser says where it stands."""
        self._nudged = asyncio.Event()
        self._topics = self.view.topics if self.view else ()
        for topic in self._topics:
            await self.channel_layer.group_add(group_name(topic), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a :class:`Resume`; a second one is refused: a browser that is lost reconnects."""
        cursors = _decode(text_data)
        if cursors is None or self._session is not None or self.view is None:
            await self.close(code=NOT_UNDERSTOOD)
            return
        source = RedisLogs(self.view.host_uid)
        self._session = LogSession(source, self.send_struct, cursors)
        self._session.update(self.view.containers, host_online=self.view.host_online)
        self._tasks = (
            asyncio.create_task(self._run(self._session, source)),
            asyncio.create_task(self._keep_up(self._session)),
        )

    async def changed(self, message: dict[str, str]) -> None:
        """The channel layer says that something of ours changed."""
        self._nudged.set()

    async def closed(self) -> None:
        """Stop reading; the host stops publishing when its lease ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for topic in self._topics:
            await self.channel_layer.group_discard(group_name(topic), self.channel_name)

    async def _run(self, session: LogSession, source: RedisLogs) -> None:
        try:
            await session.run()
        except* (redis.RedisError, OSError, msgspec.MsgspecError) as group:
            logger.warning("A log viewer lost its source: %s", group.exceptions[0])
            await self.close(code=TRY_AGAIN_LATER)
        finally:
            await source.close()

    async def _keep_up(self, session: LogSession) -> None:
        """Follow containers that come, and let go of those that are gone."""
        load = database_sync_to_async(self._load)
        while True:
            await self._nudged.wait()
            self._nudged.clear()
            view = await load()
            if view is None:
                await self.close()
                return
            session.update(view.containers, host_online=view.host_online)

    def _load(self) -> View | None:
        return self.subject.load(self.user)


class ProjectLogConsumer(LogConsumer):
    """``/ws/logs/projects/<uid>/``."""

    def find_subject(self) -> Subject:
        """See :class:`LogConsumer`."""
        return ProjectSubject(uid=self.scope["url_route"]["kwargs"]["uid"])


class ContainerLogConsumer(LogConsumer):
    """``/ws/logs/containers/<host uid>/<container id>/``."""

    def find_subject(self) -> Subject:
        """See :class:`LogConsumer`."""
        kwargs = self.scope["url_route"]["kwargs"]
        return ContainerSubject(host_uid=kwargs["host_uid"], container_id=kwargs["container_id"])


def _decode(text: str | None) -> dict[str, int] | None:
    """Return the browser's cursors, or None for what is no proper :class:`Resume`."""
    try:
        cursors = msgspec.json.decode(text or "", type=Resume).cursors
    except msgspec.MsgspecError:
        return None
    good = len(cursors) <= MAX_CURSORS and all(0 <= each < 2**63 for each in cursors.values())
    return cursors if good else None
