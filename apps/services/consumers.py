"""``/ws/containers/…/figures/``: what a container uses, once a second."""

import asyncio
import logging

import msgspec
import redis
from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.accounts.models import User
from apps.core.consumers import LiveConsumer
from apps.core.live import group_name
from apps.services.access import get_container_for
from apps.services.models import Container
from apps.services.watching import FigureSession

logger = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013
# In these states the kernel has nothing to count.
_AT_REST = frozenset({"created", "exited", "dead"})


class FiguresConsumer(LiveConsumer):
    """Streams the figures of one container for as long as the socket is open."""

    user: User
    container: Container | None = None
    _tasks: tuple[asyncio.Task[None], ...] = ()

    def may_stay(self) -> bool:
        """Query the container; also remembers it."""
        self.container = self._find()
        return self.container is not None

    async def opened(self) -> None:
        """Begin to watch, and hear of changes."""
        host_uid, container_id = self._names()
        self._nudged = asyncio.Event()
        self._topic = f"host:{host_uid}"
        await self.channel_layer.group_add(group_name(self._topic), self.channel_name)
        session = FigureSession(host_uid, container_id, self.send_struct)
        self._update(session)
        self._tasks = (
            asyncio.create_task(self._run(session)),
            asyncio.create_task(self._keep_up(session)),
        )

    async def changed(self, message: dict[str, str]) -> None:
        """The channel layer says that something of the host changed."""
        self._nudged.set()

    async def closed(self) -> None:
        """Stop; the host stops reading when the last viewer's lease ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.channel_layer.group_discard(group_name(self._topic), self.channel_name)

    async def _run(self, session: FigureSession) -> None:
        try:
            await session.run()
        except* (redis.RedisError, OSError, msgspec.MsgspecError) as group:
            logger.warning("A viewer of figures lost its source: %s", group.exceptions[0])
            await self.close(code=TRY_AGAIN_LATER)

    async def _keep_up(self, session: FigureSession) -> None:
        """Follow the container's own starts and stops, and its host's."""
        while True:
            await self._nudged.wait()
            self._nudged.clear()
            if not await database_sync_to_async(self.may_stay)():
                await self.close()
                return
            self._update(session)

    def _update(self, session: FigureSession) -> None:
        if self.container is not None:
            active = self.container.state not in _AT_REST
            session.update(active=active, host_online=self.container.host.is_online)

    def _names(self) -> tuple[str, str]:
        kwargs = self.scope["url_route"]["kwargs"]
        return kwargs["host_uid"], kwargs["container_id"]

    def _find(self) -> Container | None:
        try:
            return get_container_for(self.user, *self._names())
        except (Http404, PermissionDenied):
            return None
