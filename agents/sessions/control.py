"""The thread that reads the host's control stream."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import msgspec
import redis
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agents.errors import OutOfSpaceError
from agents.protocol import keys
from agents.protocol.control import AnyControl
from agents.protocol.envelope import Refusal, unseal
from agents.reporter.connection import FIRST_PAUSE, LONGEST_PAUSE
from agents.state import State

log = structlog.get_logger(__name__)

FIELD = b"m"
BLOCK_MILLISECONDS = 1000
COUNT = 100
CURSOR = "control"
RECENT_SECONDS = 10.0

Handle = Callable[[AnyControl], None]
Refuse = Callable[[Refusal], None]
Answer = list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]


class ControlReader:
    """Reads requests as they come.

    ``handle`` must return at once. Requests are not durable: after a start, those are read
    that came within the last seconds and were not read before.
    """

    def __init__(
        self,
        *,
        uid: str,
        panel_key: Ed25519PublicKey,
        client: redis.Redis,
        state: State,
        handle: Handle,
        refuse: Refuse,
    ) -> None:
        self._uid = uid
        self._panel_key = panel_key
        self._client = client
        self._state = state
        self._handle = handle
        self._refuse = refuse
        self._cursor = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def halt(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stopping.set()

    def close(self) -> None:
        """Stop reading; waits for the end of one read, at most a second or two."""
        self.halt()
        self._thread.join(BLOCK_MILLISECONDS / 1000 + 1)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                self._read()
                pause = FIRST_PAUSE
            except redis.RedisError as error:
                log.warning("redis_away", what="control", error=str(error), pause=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _read(self) -> None:
        stream = keys.control(self._uid)
        if not self._cursor:
            self._cursor = self._begin(stream)
        answer = self._client.xread({stream: self._cursor}, count=COUNT, block=BLOCK_MILLISECONDS)
        for _, entries in cast("Answer", answer or []):
            for entry_id, fields in entries:
                self._cursor = entry_id.decode()
                self._take(fields.get(FIELD, b""))
            with suppress(OutOfSpaceError):
                self._state.cursors.put(CURSOR, self._cursor)

    def _begin(self, stream: str) -> str:
        """Return where to begin: where the agent before this one stopped, unless that is
        longer ago than a request lives; and never past the newest entry, as the clocks of
        two machines differ.
        """
        recent = f"{int((time.time() - RECENT_SECONDS) * 1000)}-0"
        stored = self._state.cursors.find(CURSOR)
        return min(max(stored, recent, key=_order), self._newest(stream), key=_order)

    def _newest(self, stream: str) -> str:
        entries = cast("list[tuple[bytes, object]]", self._client.xrevrange(stream, count=1))
        return entries[0][0].decode() if entries else "0-0"

    def _take(self, sealed: bytes) -> None:
        try:
            self._handle(self._checked(sealed))
        except Refusal as refusal:
            self._refuse(refusal)
        except OutOfSpaceError as error:
            # Who asks asks again; a request that cannot be remembered could be replayed.
            log.warning("request_dropped", error=str(error))

    def _checked(self, sealed: bytes) -> AnyControl:
        envelope = unseal(
            sealed,
            key=self._panel_key,
            kind="control",
            sender=keys.PANEL_RECIPIENT,
            recipient=keys.recipient(self._uid),
        )
        if not self._state.seen.add(envelope.message_id, envelope.expires_at):
            raise Refusal("replayed", envelope.message_id, envelope.message_id)
        try:
            request: AnyControl = msgspec.json.decode(envelope.body, type=AnyControl)
        except msgspec.MsgspecError as error:
            raise Refusal("malformed", str(error), envelope.message_id) from error
        return request


def _order(entry_id: str) -> tuple[int, int]:
    """Return an entry's id as what it is ordered by; "" comes first."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds or 0), int(number or 0)
