"""Publishes containers' new log lines while somebody looks at them.

One thread for each followed container: a container's log is read once however many people
watch. The thread ends when the lease does.
"""

import threading
import time
from collections.abc import Sequence
from typing import cast

import msgspec
import redis
import structlog

from agents.engines.base import Engine
from agents.errors import AgentError, NotFoundError
from agents.protocol import keys
from agents.protocol.control import FollowLogs
from agents.protocol.records import LogLine
from agents.reporter.connection import FIRST_PAUSE, LONGEST_PAUSE

log = structlog.get_logger(__name__)

FIELD = "l"
STREAM_LENGTH = 10_000
LINGER_SECONDS = 60
BATCH = 500
WAIT_SECONDS = 1.0
IDLE_SECONDS = 0.25
MAX_LEASE = 300.0
MAX_FOLLOWED = 256


class Followers:
    """All followed containers of this host."""

    def __init__(self, *, uid: str, engine: Engine, client: redis.Redis) -> None:
        self._uid = uid
        self._engine = engine
        self._client = client
        self._mutex = threading.Lock()
        self._followers: dict[str, Follower] = {}

    def follow(self, request: FollowLogs) -> None:
        """Begin to follow a container, or renew its lease. Returns at once."""
        lease = min(max(request.lease, 0.0), MAX_LEASE)
        with self._mutex:
            self._drop_ended()
            running = self._followers.get(request.container_id)
            if running is not None and running.renew(lease):
                return
            if len(self._followers) >= MAX_FOLLOWED:
                log.warning("too_many_followed", container_id=request.container_id)
                return
            follower = Follower(self._uid, request, self._engine, self._client, lease)
            self._followers[request.container_id] = follower
            follower.start()

    def halt(self) -> None:
        """Ask all threads to end; returns at once."""
        with self._mutex:
            for follower in self._followers.values():
                follower.stop()

    def close(self) -> None:
        """Stop following everything; does not wait longer than a second or so."""
        self.halt()
        with self._mutex:
            for follower in self._followers.values():
                follower.join(WAIT_SECONDS + 1)
            self._followers.clear()

    def _drop_ended(self) -> None:
        for container_id, follower in tuple(self._followers.items()):
            if follower.ended:
                del self._followers[container_id]


class Follower:
    """One followed container."""

    def __init__(
        self,
        uid: str,
        request: FollowLogs,
        engine: Engine,
        client: redis.Redis,
        lease: float,
    ) -> None:
        self._container_id = request.container_id
        self._stream = keys.log(uid, request.container_id)
        self._tail = max(request.tail, 0)
        self._engine = engine
        self._client = client
        self._mutex = threading.Lock()
        self._until = time.monotonic() + lease
        self._lease = lease
        self._expire_at = 0.0
        self._stopping = threading.Event()
        self.ended = False
        name = f"follow-{self._container_id[:12]}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to read and publish."""
        self._thread.start()

    def renew(self, lease: float) -> bool:
        """Extend the lease; return False if the follower has already ended."""
        with self._mutex:
            if self.ended:
                return False
            self._until = max(self._until, time.monotonic() + lease)
            self._lease = lease
            return True

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()

    def join(self, timeout: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._follow()
        except NotFoundError:
            log.info("followed_container_gone", container_id=self._container_id)
        except AgentError as error:
            log.warning("follow_failed", container_id=self._container_id, error=str(error))
        finally:
            with self._mutex:
                self.ended = True

    def _follow(self) -> None:
        cursor: int | None = None
        fresh, pause = True, FIRST_PAUSE
        while self._wanted():
            try:
                if cursor is None or fresh:
                    cursor, fresh = self._begin(cursor), False
                cursor = self._publish_next(cursor)
                pause = FIRST_PAUSE
            except redis.RedisError as error:
                log.warning("redis_away", what="logs", error=str(error), pause=pause)
                fresh = True
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _wanted(self) -> bool:
        with self._mutex:
            if self._stopping.is_set() or time.monotonic() >= self._until:
                self.ended = True
            return not self.ended

    def _begin(self, cursor: int | None) -> int:
        """Return the position to go on from.

        That is the stream's last entry; without a stream, where this follower was before
        Redis went away; else the beginning of the tail.
        """
        entries = cast("list[tuple[bytes, object]]", self._client.xrevrange(self._stream, count=1))
        if entries:
            return int(entries[0][0].partition(b"-")[0])
        if cursor is not None:
            return cursor
        if not self._tail:
            newest = self._engine.read_logs(self._container_id, limit=1, newest=True)
            return newest[-1].position if newest else 0
        lines = self._engine.read_logs(self._container_id, limit=self._tail, newest=True)
        return lines[0].previous if lines else 0

    def _publish_next(self, cursor: int) -> int:
        lines = self._engine.read_logs(self._container_id, after=cursor, limit=BATCH)
        if lines:
            self._publish(lines)
            return lines[-1].position
        self._keep_alive()
        began = time.monotonic()
        came = self._engine.wait_logs(self._container_id, after=cursor, timeout=WAIT_SECONDS)
        if not came and time.monotonic() - began < IDLE_SECONDS:
            # The container has ended, so the wait ended at once.
            self._stopping.wait(IDLE_SECONDS)
        return cursor

    def _publish(self, lines: Sequence[LogLine]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for line in lines:
            pipeline.xadd(
                self._stream,
                {FIELD: msgspec.json.encode(line)},
                id=f"{line.position}-0",
                maxlen=STREAM_LENGTH,
                approximate=True,
            )
        self._expire_at = time.monotonic() + self._lease / 2
        pipeline.expire(self._stream, round(self._lease) + LINGER_SECONDS)
        pipeline.execute()

    def _keep_alive(self) -> None:
        """Let the stream outlive the lease by a minute, without a command per line."""
        if time.monotonic() >= self._expire_at:
            self._expire_at = time.monotonic() + self._lease / 2
            self._client.expire(self._stream, round(self._lease) + LINGER_SECONDS)
