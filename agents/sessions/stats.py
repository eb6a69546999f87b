"""Publishes what containers use, once a second, while somebody looks.

One thread for all that are watched, which ends with the last lease: what nobody looks at is
not read.
"""

import threading
import time

import msgspec
import redis
import structlog

from agents.engines.abilities.stats import ReadsStats
from agents.engines.base import Engine
from agents.errors import AgentError
from agents.protocol import keys
from agents.protocol.control import StatsSample, WatchStats

log = structlog.get_logger(__name__)

FIELD = "s"
PERIOD_SECONDS = 1.0
# Five minutes.
STREAM_LENGTH = 300
LINGER_SECONDS = 60
MAX_LEASE = 300.0
MAX_WATCHED = 256


class StatsPublisher:
    """All watched containers of this host."""

    def __init__(self, *, uid: str, engine: Engine, client: redis.Redis) -> None:
        self._uid = uid
        self._engine = engine
        self._client = client
        self._mutex = threading.Lock()
        self._until: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, request: WatchStats) -> None:
        """Begin to watch a container, or renew its lease. Returns at once."""
        until = time.monotonic() + min(max(request.lease, 0.0), MAX_LEASE)
        with self._mutex:
            if request.container_id not in self._until and len(self._until) >= MAX_WATCHED:
                log.warning("too_many_watched", container_id=request.container_id)
                return
            before = self._until.get(request.container_id, until)
            self._until[request.container_id] = max(until, before)
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="stats", daemon=True)
                self._thread.start()

    def halt(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stopping.set()

    def close(self) -> None:
        """Stop watching everything; waits for the end of one round, at most."""
        self.halt()
        with self._mutex:
            thread = self._thread
        if thread is not None:
            thread.join(PERIOD_SECONDS + 1)

    def _run(self) -> None:
        due = time.monotonic()
        while watched := self._watched():
            try:
                self._publish(watched)
            except redis.RedisError as error:
                log.warning("redis_away", what="stats", error=str(error))
            # What took too long is left out, not made up for.
            due = max(due + PERIOD_SECONDS, time.monotonic())
            self._stopping.wait(due - time.monotonic())

    def _watched(self) -> dict[str, float]:
        """Return the seconds that are left of each lease; with none the thread has ended."""
        now = time.monotonic()
        with self._mutex:
            self._until = {key: until for key, until in self._until.items() if until > now}
            if self._stopping.is_set() or not self._until:
                self._thread = None
                return {}
            return {key: until - now for key, until in self._until.items()}

    def _publish(self, watched: dict[str, float]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for container_id, left in watched.items():
            stream = keys.stats(self._uid, container_id)
            sample = msgspec.json.encode(self._sample(container_id))
            pipeline.xadd(stream, {FIELD: sample}, maxlen=STREAM_LENGTH)
            pipeline.expire(stream, round(left) + LINGER_SECONDS)
        pipeline.execute()

    def _sample(self, container_id: str) -> StatsSample:
        at, engine = time.time(), self._engine
        if not isinstance(engine, ReadsStats):
            return StatsSample(at=at, error=f"the {engine.name} engine does not count")
        try:
            return StatsSample(at=at, stats=engine.read_stats(container_id))
        except AgentError as error:
            return StatsSample(at=at, error=error.message)
