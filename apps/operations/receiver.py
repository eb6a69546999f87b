"""The one reader of all hosts' event streams; runs in a thread of the panel's worker.

It reads as one consumer of one group, so what was read but not acknowledged when the
worker died comes first when it starts again. A lock in Redis lets only one worker read at
a time: the events of a host are handled in their order.
"""

import logging
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import cast

import redis
from django.db import Error, InterfaceError, OperationalError, close_old_connections
from redis.typing import KeyT, StreamIdT

from agents.protocol import keys
from apps.core.ids import new_uid
from apps.core.redis import blocking_client
from apps.hosts.models import Host, HostState
from apps.operations import inbox

logger = logging.getLogger(__name__)

GROUP = "panel"
CONSUMER = "receiver"
LOCK = "panel.receiver"
LOCK_MS = 15_000
BLOCK_MS = 2_000
BATCH = 200
RETRY_SECONDS = 1.0
# Pause after a round in which a stream was broken, lest a host keep us busy by breaking it.
BROKEN_SECONDS = 0.05

WAKE = keys.PANEL_WAKE_STREAM.encode()

Entry = tuple[bytes, dict[bytes, bytes]]
Answer = list[tuple[bytes, list[Entry]]]


class Receiver:
    """Reads, checks and hands on, until told to stop."""

    def __init__(self) -> None:
        self._name = new_uid()
        self._client = blocking_client(BLOCK_MS / 1000)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-receiver", daemon=True)
        self._hosts: dict[bytes, Host] = {}

    def start(self) -> None:
        """Begin to read, in a thread."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop after the event at hand; another worker may read at once."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        with suppress(redis.RedisError):
            self._release()
        self._client.close()

    def _run(self) -> None:
        """Never ends for a Redis or a database that is away for a while."""
        while not self._stopping.is_set():
            try:
                self._work()
            except (redis.RedisError, Error) as error:
                logger.warning("The receiver begins again: %s", error)
                self._stopping.wait(RETRY_SECONDS)
            except Exception:
                logger.exception("The receiver begins again")
                self._stopping.wait(RETRY_SECONDS)
            finally:
                close_old_connections()

    def _work(self) -> None:
        if not self.hold_lock():
            self._stopping.wait(RETRY_SECONDS)
            return
        self.load_hosts()
        self.drain_pending()
        while not self._stopping.is_set() and self.hold_lock():
            self.read_new(BLOCK_MS)

    def load_hosts(self) -> None:
        """Learn which hosts there are, and make their streams and groups."""
        rows = Host.objects.exclude(state=HostState.REVOKED).select_related("team")
        self._hosts = {keys.events(host.uid).encode(): host for host in rows}
        for stream in (*self._hosts, WAKE):
            self._prepare(stream)

    def _prepare(self, stream: bytes) -> None:
        """Make a stream with our group. A host may put what it likes under its own keys, so
        what is no stream there makes way for one: no host may make us deaf to the others.
        """
        with suppress(redis.ResponseError):
            if self._client.type(stream) not in (b"stream", b"none"):
                self._client.delete(stream)
        try:
            self._client.xgroup_create(stream, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                logger.warning("The stream %s cannot be read: %s", stream.decode(), error)

    def read_new(self, block_ms: int | None) -> int:
        """Read and handle what is new, waiting up to ``block_ms``; returns how many came."""
        try:
            answer = self._read((*self._hosts, WAKE), b">", block_ms)
        except redis.ResponseError as error:
            logger.warning("A stream is not as it should be: %s", error)
            return self._read_each()
        return self._handle_all(answer)

    def _read_each(self) -> int:
        """Read the streams one by one, as one that a host broke fails the reading of all."""
        count = 0
        for stream in (*self._hosts, WAKE):
            self._prepare(stream)
            with suppress(redis.ResponseError):
                count += self._handle_all(self._read((stream,), b">", None))
        self._stopping.wait(BROKEN_SECONDS)
        return count

    def drain_pending(self) -> None:
        """Handle what was read before, and not acknowledged."""
        for stream in (*self._hosts, WAKE):
            with suppress(redis.ResponseError):
                while self.hold_lock() and self._handle_all(self._read((stream,), b"0", None)):
                    if self._stopping.is_set():
                        return

    def _read(self, streams: Iterable[bytes], start: bytes, block_ms: int | None) -> Answer:
        wanted: dict[KeyT, StreamIdT] = dict.fromkeys(streams, start)
        answer = self._client.xreadgroup(GROUP, CONSUMER, wanted, BATCH, block_ms)
        return cast("Answer", answer or [])

    def _handle_all(self, answer: Answer) -> int:
        count = 0
        woken = False
        for stream, entries in answer:
            woken = woken or stream == WAKE
            self.hold_lock()  # many events take longer than it lasts
            for entry_id, fields in entries:
                if self._stopping.is_set():
                    return 0
                self._handle(stream, entry_id, fields)
                count += 1
        if woken:
            self.load_hosts()
        return count

    def _handle(self, stream: bytes, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        """Handle one entry; it is acknowledged and dropped once its transaction committed."""
        host = self._hosts.get(stream)
        if host is not None and fields:
            self._receive(host, fields.get(b"m", b""))
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.xack(stream, GROUP, entry_id)
            pipeline.xdel(stream, entry_id)
            # A host that broke its stream meanwhile has nothing to acknowledge.
            pipeline.execute(raise_on_error=False)

    def _receive(self, host: Host, sealed: bytes) -> None:
        try:
            inbox.receive(host, sealed)
        except (OperationalError, InterfaceError):
            raise  # the database is away or busy: the event comes again
        except Exception:
            logger.exception("An event of host %s could not be handled and is dropped", host.uid)

    def hold_lock(self) -> bool:
        """Take or renew the lock; says whether it is ours."""
        if self._client.set(LOCK, self._name, nx=True, px=LOCK_MS):
            return True
        if self._client.get(LOCK) != self._name.encode():
            return False
        return bool(self._client.pexpire(LOCK, LOCK_MS))

    def _release(self) -> None:
        if self._client.get(LOCK) == self._name.encode():
            self._client.delete(LOCK)
