"""Runs accepted operations: those of one lane one after the other, lanes side by side.

A lane is what operations must not touch at once, usually a project.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from agents.compose.errors import ComposeError
from agents.errors import AgentError, CancelledError, OutOfSpaceError
from agents.protocol.commands import AnyCommand
from agents.protocol.events import OperationFinished, OperationStarted
from agents.reporter import Reporter
from agents.state import Entry, State
from agents.tasks.failures import error_infos
from agents.tasks.operation import Operation

log = structlog.get_logger(__name__)

THREADS = 4
REMEMBERED_CANCELS = 256

Perform = Callable[[AnyCommand, Operation], str]
LaneOf = Callable[[AnyCommand], str]


class Executor:
    """Runs operations on at most four threads, which live only while there is work."""

    def __init__(
        self, *, state: State, reporter: Reporter, perform: Perform, lane_of: LaneOf
    ) -> None:
        self._state = state
        self._reporter = reporter
        self._perform = perform
        self._lane_of = lane_of
        self._changed = threading.Condition()
        self._lanes: dict[str, deque[Entry]] = {}
        self._busy_lanes: set[str] = set()
        self._running: dict[str, Operation] = {}
        self._threads = 0
        self._halting = False
        self._cancels: deque[str] = deque(maxlen=REMEMBERED_CANCELS)

    def submit(self, entry: Entry) -> None:
        """Take an accepted operation; returns at once."""
        lane = self._lane_of(decode(entry))
        with self._changed:
            self._lanes.setdefault(lane, deque()).append(entry)
            if self._threads < THREADS and not self._halting:
                self._threads += 1
                number = self._threads
                threading.Thread(target=self._work, name=f"work-{number}", daemon=True).start()

    def cancel(self, operation_id: str) -> None:
        """Ask an operation to end; one that is not known yet will not begin."""
        with self._changed:
            self._cancels.append(operation_id)
            if running := self._running.get(operation_id):
                running.cancel()

    def active(self) -> tuple[str, ...]:
        """Return the ids of what runs and what waits for its turn."""
        with self._changed:
            waiting = [entry.operation_id for lane in self._lanes.values() for entry in lane]
            return (*self._running, *waiting)

    def halt(self) -> None:
        """Begin nothing more and ask what runs to end; returns at once."""
        with self._changed:
            self._halting = True
            for operation in self._running.values():
                operation.halt()

    def close(self, timeout: float) -> None:
        """Halt what runs and wait for it, for at most ``timeout`` seconds.

        What has not ended then stays in the journal for the next start.
        """
        self.halt()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout)

    def _work(self) -> None:
        try:
            while taken := self._next():
                self._run_taken(*taken)
        finally:
            with self._changed:
                self._threads -= 1

    def _next(self) -> tuple[str, Entry, Operation] | None:
        with self._changed:
            return self._take()

    def _run_taken(self, lane: str, entry: Entry, operation: Operation) -> None:
        try:
            self._run(entry, operation)
        finally:
            with self._changed:
                self._busy_lanes.discard(lane)
                self._running.pop(entry.operation_id, None)
                self._changed.notify_all()

    def _take(self) -> tuple[str, Entry, Operation] | None:
        """Take the next operation of a lane that nobody works on; the lock is held."""
        if self._halting:
            return None
        lane = next((name for name in self._lanes if name not in self._busy_lanes), None)
        if lane is None:
            return None
        entry = self._lanes[lane].popleft()
        if not self._lanes[lane]:
            del self._lanes[lane]
        operation = Operation(entry.operation_id, self._reporter, last_seq=entry.last_seq)
        if entry.operation_id in self._cancels:
            operation.cancel()
        self._busy_lanes.add(lane)
        self._running[entry.operation_id] = operation
        return lane, entry, operation

    def _run(self, entry: Entry, operation: Operation) -> None:
        with suppress(OutOfSpaceError):
            self._state.journal.begin(entry.operation_id)
        self._reporter.put(OperationStarted(operation_id=entry.operation_id, at=time.time()))
        finished = self._outcome(entry, operation)
        if finished is None:
            self._state.journal.hand_back(entry.operation_id)
            return
        with suppress(OutOfSpaceError):
            self._state.journal.end(entry.operation_id, msgspec.json.encode(finished))
        self._reporter.put(finished)

    def _outcome(self, entry: Entry, operation: Operation) -> OperationFinished | None:
        """Do the work; return its end, or None if the agent's stop interrupted it."""
        command = decode(entry)
        if entry.attempts:
            operation.step("The agent was started again and goes on with this operation.")
        try:
            operation.check()
            summary = self._perform(command, operation)
        except CancelledError as error:
            if operation.was_halted:
                return None
            return self._finished(operation, "cancelled", error)
        except (AgentError, ComposeError) as error:
            log.warning("operation_failed", operation_id=entry.operation_id, error=str(error))
            return self._finished(operation, "failed", error)
        except Exception as error:
            log.exception("operation_failed", operation_id=entry.operation_id)
            return self._finished(operation, "failed", error)
        return OperationFinished(
            operation_id=entry.operation_id, at=time.time(), state="succeeded", summary=summary
        )

    def _finished(self, operation: Operation, state: str, error: Exception) -> OperationFinished:
        return OperationFinished(
            operation_id=operation.operation_id,
            at=time.time(),
            state="cancelled" if state == "cancelled" else "failed",
            errors=error_infos(error),
        )


def decode(entry: Entry) -> AnyCommand:
    """Return the command of a journal entry."""
    command: AnyCommand = msgspec.json.decode(entry.command, type=AnyCommand)
    return command
