"""The session's loop against a source in memory: slow viewers, and cancelling."""

import asyncio
from collections.abc import Mapping

from agents.protocol.control import LogChunk
from agents.protocol.records import LogLine
from apps.logs.session import LogSession
from apps.logs.sources import LogContainer
from apps.logs.track import Wanted
from apps.logs.wire import Lines

STREAM_KEEPS = 50


class MemoryLogs:
    """A host whose stream keeps only the newest lines; answers at once."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.waits = 0

    def write(self, count: int) -> None:
        for _ in range(count):
            end = len(self.lines)
            line = LogLine(
                container_id="c",
                position=end + 1,
                previous=end,
                at=float(end),
                stream="stdout",
                text=str(end),
            )
            self.lines.append(line)

    async def follow(self, container_id: str) -> None:
        pass

    async def read(self, container_id: str, wanted: Wanted) -> LogChunk:
        end = wanted.before or len(self.lines) + 1
        found = [line for line in self.lines if wanted.after < line.position < end]
        part = found[-wanted.limit :] if wanted.newest else found[: wanted.limit]
        return LogChunk(lines=tuple(part), end=len(self.lines))

    async def wait(self, cursors: Mapping[str, str]) -> dict[str, list[LogLine]]:
        self.waits += 1
        after = int(cursors["c"].partition("-")[0])
        while len(self.lines) <= after:
            await asyncio.sleep(0.001)
        return {"c": [line for line in self.lines[-STREAM_KEEPS:] if line.position > after]}

    async def close(self) -> None:
        pass


class Browser:
    """Takes messages, one at a time, only while its gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.taken: list[str] = []
        self.kinds: list[str] = []

    async def send(self, message) -> None:
        await self.gate.wait()
        self.kinds.append(type(message).__name__)
        if isinstance(message, Lines):
            self.taken += [line.x for line in message.lines]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.taken) < count:
                await asyncio.sleep(0.001)


def container() -> LogContainer:
    return LogContainer(container_id="c", service="web", name="web-1", number=1, active=True)


async def test_a_slow_browser_holds_the_reading_back_and_loses_nothing():
    source, browser = MemoryLogs(), Browser()
    session = LogSession(source, browser.send, {"c": 0})
    session.update([container()], host_online=True)
    running = asyncio.create_task(session.run())
    source.write(10)
    await browser.until(10)
    browser.gate.clear()
    source.write(100)
    await asyncio.sleep(0)
    before = source.waits
    source.write(20_000)
    for _ in range(500):
        await asyncio.sleep(0)
    assert source.waits <= before + 1
    browser.gate.set()
    await browser.until(20_110)
    assert browser.taken == [str(number) for number in range(20_110)]
    assert "GapShown" not in browser.kinds
    await stop(running)


async def test_without_a_container_it_waits_for_one():
    source, browser = MemoryLogs(), Browser()
    session = LogSession(source, browser.send, {})
    session.update([], host_online=True)
    running = asyncio.create_task(session.run())
    source.write(3)
    session.update([container()], host_online=True)
    await browser.until(3)
    assert browser.taken == ["0", "1", "2"]
    await stop(running)


async def stop(running: asyncio.Task[None]) -> None:
    """It ends at once when it is cancelled, whatever it waits for."""
    running.cancel()
    async with asyncio.timeout(1):
        await asyncio.gather(running, return_exceptions=True)
