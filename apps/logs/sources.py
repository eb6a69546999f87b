"""Where log lines come from: the streams in Redis, and the host behind them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from redis.typing import KeyT, StreamIdT

from agents.protocol import keys
from agents.protocol.control import AnyControl, FollowLogs, LogChunk, ReadLogs
from agents.protocol.records import LogLine
from apps.core.ids import new_uid
from apps.core.redis import TIMEOUT_SECONDS, async_client, stream_entries
from apps.logs.track import Wanted
from apps.operations.control import send_control_async

BLOCK_SECONDS = 5.0
ANSWER_SECONDS = 3.0
LEASE_SECONDS = 15.0
# Entries of each stream that one read brings.
PAGE = 500

_DECODER = msgspec.json.Decoder(LogLine)
_CHUNK_DECODER = msgspec.json.Decoder(LogChunk)


@dataclass(frozen=True, kw_only=True)
class LogContainer:
    """A container to follow. ``active`` means that it may write more."""

    container_id: str
    service: str
    name: str
    number: int
    active: bool


class LogSource(Protocol):
    """One host's logs."""

    async def follow(self, container_id: str) -> None:
        """Ask the host to publish the container's lines, or renew that; does not wait."""
        ...

    async def read(self, container_id: str, wanted: Wanted) -> LogChunk | None:
        """Read from the host; None if it does not answer within some seconds."""
        ...

    async def wait(self, cursors: Mapping[str, str]) -> dict[str, list[LogLine]]:
        """Wait some seconds for entries past each container's stream id; may be cancelled."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


class RedisLogs:
    """A host's logs by way of the panel's Redis.

    It has a client for waiting and one for the rest. Raises ``redis.RedisError`` and, when
    Redis is silent, ``TimeoutError``.
    """

    def __init__(self, host_uid: str) -> None:
        self._host_uid = host_uid
        self._waiting = async_client()
        self._client = async_client()

    async def follow(self, container_id: str) -> None:
        """See :class:`LogSource`."""
        await self._ask(FollowLogs(container_id=container_id, lease=LEASE_SECONDS))

    async def read(self, container_id: str, wanted: Wanted) -> LogChunk | None:
        """See :class:`LogSource`."""
        request_id = new_uid()
        request = ReadLogs(
            request_id=request_id,
            container_id=container_id,
            after=wanted.after,
            before=wanted.before,
            limit=wanted.limit,
            newest=wanted.newest,
        )
        await self._ask(request)
        return await self._answer(keys.reply(self._host_uid, request_id))

    async def wait(self, cursors: Mapping[str, str]) -> dict[str, list[LogLine]]:
        """See :class:`LogSource`."""
        streams: dict[KeyT, StreamIdT] = {
            keys.log(self._host_uid, each): last for each, last in cursors.items()
        }
        async with asyncio.timeout(BLOCK_SECONDS + TIMEOUT_SECONDS):
            found = await self._waiting.xread(streams, count=PAGE, block=int(BLOCK_SECONDS * 1000))
        lines: dict[str, list[LogLine]] = {}
        for _, entries in stream_entries(found):
            decoded = [_DECODER.decode(fields[b"l"]) for _, fields in entries if b"l" in fields]
            if decoded:
                lines[decoded[0].container_id] = decoded
        return lines

    async def close(self) -> None:
        """See :class:`LogSource`."""
        await self._waiting.aclose()
        await self._client.aclose()

    async def _ask(self, control: AnyControl) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await send_control_async(self._client, self._host_uid, control)

    async def _answer(self, key: str) -> LogChunk | None:
        block = int(ANSWER_SECONDS * 1000)
        async with asyncio.timeout(ANSWER_SECONDS + TIMEOUT_SECONDS):
            found = await self._client.xread({key: "0"}, count=1, block=block)
            for _, entries in stream_entries(found):
                await self._client.delete(key)
                return _CHUNK_DECODER.decode(entries[0][1][b"chunk"])
        return None
