"""What the agent does first: take up what the one before it left.

An operation that was accepted and has not ended goes on, from its beginning, as every
command may be done twice; unless its command has expired meanwhile, or the agent has
already died on it three times: then it is reported as failed.
"""

import time
from collections.abc import Callable

import msgspec
import structlog

from agents.protocol.events import ErrorInfo, OperationFinished
from agents.reporter import Reporter
from agents.state import Entry, State

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 3


def resume_operations(
    state: State, reporter: Reporter, submit: Callable[[Entry], None], *, now: float | None = None
) -> None:
    """Submit what may go on and report the rest as failed; call once, at start."""
    moment = time.time() if now is None else now
    state.journal.forget_old(moment)
    state.seen.forget_expired(moment)
    for entry in state.journal.unended():
        reason = _reason_against(entry, moment)
        if reason:
            _report_failed(state, reporter, entry, reason)
        else:
            log.info("operation_resumed", operation_id=entry.operation_id)
            submit(entry)


def _reason_against(entry: Entry, now: float) -> str:
    if entry.attempts >= MAX_ATTEMPTS:
        return f"the agent died {entry.attempts} times while it worked on this operation"
    if now >= entry.expires_at:
        return "the agent stopped while it had this operation, and came back too late for it"
    return ""


def _report_failed(state: State, reporter: Reporter, entry: Entry, reason: str) -> None:
    error = ErrorInfo(code="agent_stopped", message=reason, hint="Start the operation again.")
    finished = OperationFinished(
        operation_id=entry.operation_id, at=time.time(), state="failed", errors=(error,)
    )
    state.journal.end(entry.operation_id, msgspec.json.encode(finished))
    reporter.put(finished)
