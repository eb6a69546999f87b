"""A host that keeps and publishes log lines as docs/protocol.md says, in a thread of a test.

It checks the panel's signatures with the panel's own key, and answers over the real Redis.
"""

import threading
import time
from collections import defaultdict
from types import TracebackType
from typing import Self

import msgspec
import redis

from agents.protocol import keys
from agents.protocol.control import AnyControl, FollowLogs, LogChunk, ReadLogs
from agents.protocol.envelope import unseal
from agents.protocol.records import LogLine
from apps.hosts import pki
from apps.hosts.models import Host
from tests.redis_server import RedisServer

BLOCK_MS = 50


class LogHost:
    """Use it as a context; ``write`` may be called from any thread."""

    def __init__(self, server: RedisServer, host: Host) -> None:
        self.uid = host.uid
        self.answering = True
        self.followed: dict[str, int] = defaultdict(int)
        self.reads = 0
        self._lines: dict[str, list[LogLine]] = defaultdict(list)
        self._redis = redis.Redis(unix_socket_path=str(server.socket), password=server.password)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        self._redis.close()

    def write(self, container_id: str, *texts: str) -> None:
        """The container writes lines; they go to the stream if somebody follows."""
        with self._lock:
            for text in texts:
                line = self._append(container_id, text)
                if self.followed[container_id]:
                    self._publish(line)

    def drop_stream(self, container_id: str) -> None:
        """The stream loses all its entries, as when it was trimmed."""
        self._redis.xtrim(keys.log(self.uid, container_id), maxlen=0, approximate=False)

    def rotate(self, container_id: str, keep: int) -> None:
        """The host itself forgets all but the last lines."""
        with self._lock:
            self._lines[container_id] = self._lines[container_id][-keep:]

    def _append(self, container_id: str, text: str) -> LogLine:
        before = self._lines[container_id]
        previous = before[-1].position if before else 0
        line = LogLine(
            container_id=container_id,
            position=previous + len(text) + 1,
            previous=previous,
            at=time.time(),
            stream="stdout",
            text=text,
        )
        before.append(line)
        return line

    def _publish(self, line: LogLine) -> None:
        key = keys.log(self.uid, line.container_id)
        self._redis.xadd(key, {"l": msgspec.json.encode(line)}, id=f"{line.position}-0")

    def _serve(self) -> None:
        last = "0"
        while not self._stop.is_set():
            found = self._redis.xread({keys.control(self.uid): last}, block=BLOCK_MS)
            for _, entries in found or []:
                for entry, fields in entries:
                    last = entry
                    if self.answering:
                        self._answer(self._open(fields[b"m"]))

    def _open(self, sealed: bytes) -> AnyControl:
        envelope = unseal(
            sealed,
            key=pki.command_key().public_key(),
            kind="control",
            sender=keys.PANEL_RECIPIENT,
            recipient=keys.recipient(self.uid),
        )
        return msgspec.json.decode(envelope.body, type=AnyControl)

    def _answer(self, control: AnyControl) -> None:
        with self._lock:
            if isinstance(control, FollowLogs):
                if not self.followed[control.container_id]:
                    for line in self._lines[control.container_id][-control.tail :]:
                        self._publish(line)
                self.followed[control.container_id] += 1
            elif isinstance(control, ReadLogs):
                self.reads += 1
                chunk = msgspec.json.encode(self._read(control))
                self._redis.xadd(keys.reply(self.uid, control.request_id), {"chunk": chunk})

    def _read(self, wanted: ReadLogs) -> LogChunk:
        lines = self._lines[wanted.container_id]
        found = [
            line
            for line in lines
            if line.position > wanted.after and (not wanted.before or line.position < wanted.before)
        ]
        part = found[-wanted.limit :] if wanted.newest else found[: wanted.limit]
        return LogChunk(lines=tuple(part), end=lines[-1].position if lines else 0)
