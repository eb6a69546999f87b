"""At the door: check a sealed command, write it down, hand it on."""

import time
from collections.abc import Callable

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agents.errors import OutOfSpaceError
from agents.protocol import keys
from agents.protocol.commands import AnyCommand
from agents.protocol.envelope import Envelope, Refusal, unseal
from agents.protocol.events import ErrorInfo, MessageRefused, OperationFinished
from agents.reporter import Reporter
from agents.state import Entry, State

log = structlog.get_logger(__name__)


class _Stub(msgspec.Struct, frozen=True):
    """What every command has, also those of a newer panel."""

    type: str
    operation_id: str


class Acceptance:
    """Takes each command once. Safe to call again with the same message."""

    def __init__(
        self,
        *,
        uid: str,
        panel_key: Ed25519PublicKey,
        state: State,
        reporter: Reporter,
        submit: Callable[[Entry], None],
    ) -> None:
        self._uid = uid
        self._panel_key = panel_key
        self._state = state
        self._reporter = reporter
        self._submit = submit

    def take(self, sealed: str, redelivered: bool) -> None:
        """Check a sealed command and hand it on; a refused one is logged and reported.

        ``redelivered`` is the broker's word that it may come a second time: then its id is
        no replay, and at most its end is told again.
        """
        try:
            envelope = self._unseal(sealed)
            self._take_open(envelope, redelivered)
        except Refusal as refusal:
            self.refuse(refusal)

    def refuse(self, refusal: Refusal, operation_id: str = "") -> None:
        """Log a refusal and tell the panel."""
        log.warning("message_refused", reason=refusal.reason, detail=refusal.detail)
        self._reporter.put(
            MessageRefused(
                operation_id=operation_id,
                at=time.time(),
                reason=refusal.reason,
                detail=refusal.detail,
            )
        )

    def _unseal(self, sealed: str) -> Envelope:
        return unseal(
            sealed,
            key=self._panel_key,
            kind="command",
            sender=keys.PANEL_RECIPIENT,
            recipient=keys.recipient(self._uid),
        )

    def _take_open(self, envelope: Envelope, redelivered: bool) -> None:
        try:
            if self._state.seen.add(envelope.message_id, envelope.expires_at):
                self._write_down(envelope)
            else:
                self._seen_again(envelope, redelivered)
        except OutOfSpaceError as error:
            # What cannot be written down is not begun: after a crash nobody would know of it.
            self._fail(self._stub(envelope), error.to_info())

    def _seen_again(self, envelope: Envelope, redelivered: bool) -> None:
        if not redelivered:
            raise Refusal("replayed", envelope.message_id, envelope.message_id)
        # The agent may have died between taking the id and writing the command down.
        self._write_down(envelope)

    def _write_down(self, envelope: Envelope) -> None:
        stub = self._stub(envelope)
        body = bytes(envelope.body)
        try:
            msgspec.json.decode(body, type=AnyCommand)
        except msgspec.MsgspecError as error:
            self._not_understood(stub, str(error))
            return
        entry = self._state.journal.accept(stub.operation_id, body, expires_at=envelope.expires_at)
        if entry is not None:
            self._submit(entry)
        else:
            self._tell_end_again(stub.operation_id)

    def _stub(self, envelope: Envelope) -> _Stub:
        try:
            return msgspec.json.decode(envelope.body, type=_Stub)
        except msgspec.MsgspecError as error:
            raise Refusal("malformed", str(error), envelope.message_id) from error

    def _not_understood(self, stub: _Stub, detail: str) -> None:
        """Refuse a command that the panel signed but this agent does not know."""
        self.refuse(Refusal("malformed", detail), stub.operation_id)
        error = ErrorInfo(
            code="not_supported",
            message=f"this agent does not understand the command {stub.type}",
            hint="Update the agent on this host.",
        )
        self._fail(stub, error)

    def _fail(self, stub: _Stub, error: ErrorInfo) -> None:
        self._reporter.put(
            OperationFinished(
                operation_id=stub.operation_id, at=time.time(), state="failed", errors=(error,)
            )
        )

    def _tell_end_again(self, operation_id: str) -> None:
        entry = self._state.journal.find(operation_id)
        if entry is not None and entry.finished is not None:
            self._reporter.put(msgspec.json.decode(entry.finished, type=OperationFinished))
