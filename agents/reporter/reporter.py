"""The one thread that signs events and sends them, in order, at least once."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import redis
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.errors import OutOfSpaceError
from agents.protocol import keys
from agents.protocol.envelope import seal
from agents.protocol.events import Event, Heartbeat, OperationOutput, OutputLine
from agents.state import State, Waiting

log = structlog.get_logger(__name__)

EVENT_LIFETIME = 86400.0
STREAM_LENGTH = 100_000
FIELD = "m"
BATCH = 100
OUTPUT_PAUSE = 0.05
OUTPUT_LINES = 100
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


class Reporter:
    """Keeps events in the outbox until Redis has them.

    ``connect`` makes the client, given what it calls on each new connection. ``vitals``
    makes each heartbeat. ``resync`` is called, from the sending thread, when Redis is back
    after it was away, as what it held may be lost.
    """

    def __init__(
        self,
        *,
        uid: str,
        key: Ed25519PrivateKey,
        state: State,
        connect: Callable[[Callable[[], None]], redis.Redis],
        vitals: Callable[[], Heartbeat],
        heartbeat_seconds: float,
        resync: Callable[[], None],
    ) -> None:
        self._uid = uid
        self._key = key
        self._state = state
        self._client = connect(self._connected)
        self._connections = 0
        self._vitals = vitals
        self._heartbeat_seconds = heartbeat_seconds
        self._resync = resync
        self._wake = threading.Condition()
        self._lines: dict[str, list[OutputLine]] = {}
        self._flush_at: float | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self, timeout: float = 2.0) -> None:
        """Send what there is, for at most ``timeout`` seconds; the rest stays in the outbox."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._thread.join(timeout)
        self._client.close()

    def _connected(self) -> None:
        self._connections += 1

    def put(self, event: Event) -> None:
        """Take an event to be sent after all earlier ones. Does not wait for Redis."""
        with self._wake:
            self._flush_output(event.operation_id)
            self._store(event, droppable=False)
            self._wake.notify_all()

    def output(self, operation_id: str, line: OutputLine) -> None:
        """Take one line of an operation's output; lines travel in batches."""
        with self._wake:
            lines = self._lines.setdefault(operation_id, [])
            lines.append(line)
            if len(lines) >= OUTPUT_LINES:
                self._flush_output(operation_id)
            elif self._flush_at is None:
                self._flush_at = time.monotonic() + OUTPUT_PAUSE
            self._wake.notify_all()

    def _store(self, event: Event, *, droppable: bool) -> None:
        self._state.outbox.put(msgspec.json.encode(event), droppable=droppable)

    def _flush_output(self, operation_id: str) -> None:
        lines = self._lines.pop(operation_id, None)
        if lines:
            with suppress(OutOfSpaceError):
                self._state.journal.note_seq(operation_id, lines[-1].seq)
            event = OperationOutput(operation_id=operation_id, at=lines[-1].at, lines=tuple(lines))
            self._store(event, droppable=True)

    def _flush_all_output(self) -> None:
        for operation_id in tuple(self._lines):
            self._flush_output(operation_id)
        self._flush_at = None

    def _run(self) -> None:
        pause, beat_at = 0.0, 0.0
        while True:
            waiting, last = self._next(beat_at, pause)
            try:
                self._send_waiting(waiting)
                if time.monotonic() >= beat_at:
                    self._send([msgspec.json.encode(self._vitals())])
                    beat_at = time.monotonic() + self._heartbeat_seconds
            except redis.RedisError as error:
                pause = min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
                log.warning("redis_away", what="events", error=str(error), pause=pause)
                self._state.outbox.trim()
                if last:
                    return
                continue
            if self._connections > 1:
                self._connections = 1
                self._resync()
            pause = 0.0
            if last and len(waiting) < BATCH:
                return

    def _next(self, beat_at: float, pause: float) -> tuple[tuple[Waiting, ...], bool]:
        """Wait until there is something to send; return it, and whether we are stopping."""
        with self._wake:
            if pause and not self._stopping:
                self._wake.wait_for(lambda: self._stopping, pause)
            while True:
                now = time.monotonic()
                if self._stopping or (self._flush_at is not None and now >= self._flush_at):
                    self._flush_all_output()
                waiting = self._state.outbox.first(BATCH)
                if waiting or self._stopping or now >= beat_at:
                    return waiting, self._stopping
                due = beat_at if self._flush_at is None else min(beat_at, self._flush_at)
                self._wake.wait(max(0.0, due - now))

    def _send_waiting(self, waiting: Sequence[Waiting]) -> None:
        if waiting:
            self._send([item.event for item in waiting])
            self._state.outbox.remove(waiting)

    def _send(self, events: Sequence[bytes]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for event in events:
            pipeline.xadd(
                keys.events(self._uid),
                {FIELD: self._sealed(event)},
                maxlen=STREAM_LENGTH,
                approximate=True,
            )
        pipeline.execute()

    def _sealed(self, event: bytes) -> str:
        return seal(
            msgspec.Raw(event),
            key=self._key,
            kind="event",
            sender=keys.recipient(self._uid),
            recipient=keys.PANEL_RECIPIENT,
            lifetime=EVENT_LIFETIME,
        )
