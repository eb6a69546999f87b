"""One browser's live view of what a container uses.

Each viewer keeps the host's lease alive and reads the host's one stream of samples, so the
host reads a container once a second however many look, and not at all when nobody does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

import msgspec

from agents.protocol import keys
from agents.protocol.control import StatsSample, WatchStats
from apps.core.redis import TIMEOUT_SECONDS, async_client, stream_entries
from apps.operations.control import send_control_async
from apps.services.figures import Figures, Meter

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
# Longer than this between two samples and the host is thought silent.
SILENCE_SECONDS = 4.0

_DECODER = msgspec.json.Decoder(StatsSample)


class Status(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    """Panel → browser: whether figures come; ``text`` says more where there is more to say."""

    state: Literal["live", "stopped", "silent", "unknown", "host-offline"]
    text: str = ""


Send = Callable[[Figures | Status], Awaitable[None]]


class FigureSession:
    """Watches one container until it is cancelled; ``send`` is awaited for each message."""

    def __init__(self, host_uid: str, container_id: str, send: Send) -> None:
        self._host_uid = host_uid
        self._container_id = container_id
        self._stream = keys.stats(host_uid, container_id)
        self._send = send
        self._meter = Meter()
        self._last = "0-0"
        self._told = Status(state="silent")
        self._active = self._host_online = False
        self._changed = asyncio.Event()

    def update(self, *, active: bool, host_online: bool) -> None:
        """Say how the container stands from now on; call it from the loop, at any time."""
        self._active, self._host_online = active, host_online
        self._changed.set()

    async def run(self) -> None:
        """Deliver until cancelled; fails, in an exception group, with ``redis.RedisError``,
        ``TimeoutError``, ``msgspec.MsgspecError`` and whatever ``send`` raises.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew())
            group.create_task(self._deliver())

    async def _renew(self) -> None:
        client = async_client()
        request = WatchStats(container_id=self._container_id, lease=LEASE_SECONDS)
        try:
            while True:
                self._changed.clear()
                if await self._is_worth_asking():
                    async with asyncio.timeout(TIMEOUT_SECONDS):
                        await send_control_async(client, self._host_uid, request)
                with suppress(TimeoutError):
                    # Not wait_for: in Python 3.11 that may lose a cancellation.
                    async with asyncio.timeout(RENEW_SECONDS):
                        await self._changed.wait()
        finally:
            await client.aclose()

    async def _is_worth_asking(self) -> bool:
        if not self._host_online:
            await self._tell(Status(state="host-offline"))
        elif not self._active:
            await self._tell(Status(state="stopped"))
        return self._host_online and self._active

    async def _deliver(self) -> None:
        client = async_client()
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS + TIMEOUT_SECONDS):
                    block = int(SILENCE_SECONDS * 1000)
                    found = await client.xread({self._stream: self._last}, block=block)
                await self._hand_on(self._decode(found))
        finally:
            await client.aclose()

    def _decode(self, found: object) -> list[StatsSample]:
        samples = []
        for _, entries in stream_entries(found):
            for entry_id, fields in entries:
                self._last = entry_id.decode()
                if b"s" in fields:
                    samples.append(_DECODER.decode(fields[b"s"]))
        return samples

    async def _hand_on(self, samples: list[StatsSample]) -> None:
        """Send what came; while nothing can come, that is said already."""
        if not (self._active and self._host_online):
            return
        if not samples:
            await self._tell(Status(state="silent"))
            return
        readings = [sample.stats for sample in samples if sample.stats is not None]
        if readings:
            await self._send(self._meter.take(readings))
        if samples[-1].stats is None:
            await self._tell(Status(state="unknown", text=samples[-1].error))
        else:
            await self._tell(Status(state="live"))

    async def _tell(self, status: Status) -> None:
        if status != self._told:
            self._told = status
            await self._send(status)
