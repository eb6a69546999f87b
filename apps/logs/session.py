"""One viewer's live view of some containers of one host.

The loop asks the host for what it has to, otherwise waits on the streams, and hands on
what it got before it reads more. So a slow browser slows the reading, nothing piles up,
and what the stream has dropped meanwhile is read again from the host: see
``apps.logs.track``.
"""

import asyncio
import time
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from agents.protocol.records import LogLine
from apps.logs.merge import merge
from apps.logs.roster import Roster
from apps.logs.sources import LogContainer, LogSource
from apps.logs.track import Delivery, Track
from apps.logs.wire import Message, Status, show_containers, show_deliveries

Found = dict[str, list[LogLine]]
Send = Callable[[Message], Awaitable[None]]

# At most this many seconds of lines go into one message.
BATCH_SECONDS = 0.03
RENEW_SECONDS = 5.0


class LogSession:
    """Follows containers until it is cancelled; ``send`` is awaited for each message."""

    def __init__(self, source: LogSource, send: Send, cursors: Mapping[str, int]) -> None:
        self._source = source
        self._send = send
        self._roster = Roster(cursors)
        self._changed = asyncio.Event()
        self._renew_now = asyncio.Event()
        self._announced = False
        self._status = ""
        self._sent_at = 0.0

    def update(self, containers: Sequence[LogContainer], *, host_online: bool) -> None:
        """Follow these containers from now on; call it from the loop, at any time."""
        if self._roster.update(containers, host_online=host_online):
            self._announced = False
        self._changed.set()
        self._renew_now.set()

    async def run(self) -> None:
        """Deliver until cancelled; fails, in an exception group, with ``redis.RedisError``
        and whatever ``send`` raises.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew())
            group.create_task(self._deliver())

    async def _renew(self) -> None:
        """Keep the host publishing as long as somebody looks."""
        while True:
            self._renew_now.clear()
            for container_id in self._roster.active():
                await self._source.follow(container_id)
            with suppress(TimeoutError):
                # Not wait_for: in Python 3.11 that may lose a cancellation.
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._renew_now.wait()

    async def _deliver(self) -> None:
        while True:
            self._changed.clear()
            await self._announce()
            wanting = self._roster.wanting(time.monotonic())
            if wanting:
                await self._hand_on(await asyncio.gather(*map(self._read, wanting)))
            else:
                await self._hand_on(self._accept(await self._wait()))

    async def _announce(self) -> None:
        """Say which containers there are, and whether lines flow, when that changed."""
        if not self._announced:
            self._announced = True
            await self._send(show_containers(self._roster.containers.values()))
        status = self._find_status()
        if status.state != self._status:
            self._status = status.state
            await self._send(status)

    def _find_status(self) -> Status:
        if not self._roster.host_online:
            return Status(state="host-offline")
        return Status(state="live" if self._roster.containers else "idle")

    async def _read(self, track: Track) -> list[Delivery]:
        """Ask the host for what the track lacks."""
        wanted = track.wanted
        if wanted is None:
            return []
        chunk = await self._source.read(track.container_id, wanted)
        if chunk is None:
            self._roster.postpone(track, time.monotonic())
            return []
        # What is wanted may have changed while the host answered.
        return track.accept_chunk(chunk) if track.wanted == wanted else []

    async def _wait(self) -> Found:
        """Wait for new lines, until there is something else to do."""
        await asyncio.sleep(self._sent_at + BATCH_SECONDS - time.monotonic())
        cursors = self._roster.ready()
        lines = asyncio.ensure_future(self._source.wait(cursors) if cursors else _nothing())
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            pause = self._roster.pause(time.monotonic())
            await asyncio.wait([lines, changed], timeout=pause, return_when=FIRST_COMPLETED)
            return lines.result() if lines.done() else {}
        finally:
            await _cancel(lines, changed)

    def _accept(self, found: Mapping[str, list[LogLine]]) -> list[list[Delivery]]:
        deliveries = []
        for container_id, lines in found.items():
            track = self._roster.track(container_id)
            if track is not None and track.wanted is None:
                deliveries.append(track.accept_stream(lines))
        return deliveries

    async def _hand_on(self, deliveries: Sequence[list[Delivery]]) -> None:
        merged = merge(deliveries)
        if not merged:
            return
        for message in show_deliveries(merged, self._roster.containers):
            await self._send(message)
        self._sent_at = time.monotonic()


async def _nothing() -> Found:
    """Wait until cancelled: there is no stream to read."""
    await asyncio.Event().wait()
    return {}


async def _cancel(*tasks: asyncio.Future[Found] | asyncio.Future[Literal[True]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
