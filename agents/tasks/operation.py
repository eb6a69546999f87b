"""One run of an operation, as the work sees it."""

import threading
import time
from typing import Literal

from agents.errors import CancelledError
from agents.protocol.events import OperationProgress, OutputLine
from agents.reporter import Reporter


class Operation:
    """Implements :class:`agents.projects.progress.Progress`; usable from several threads.

    ``last_seq`` is the number of the newest output line of an earlier, interrupted run.
    """

    def __init__(self, operation_id: str, reporter: Reporter, *, last_seq: int = 0) -> None:
        self.operation_id = operation_id
        self._reporter = reporter
        self._seq = last_seq
        self._mutex = threading.Lock()
        self._cancelled = threading.Event()
        self._halted = threading.Event()

    def step(self, text: str, *, service: str = "") -> None:
        """Say in one line what is being done."""
        self._line(text, "step", service)

    def output(
        self, text: str, *, service: str = "", stream: Literal["stdout", "stderr"] = "stdout"
    ) -> None:
        """Pass on one line that a program wrote."""
        self._line(text, stream, service)

    def advance(self, done: int, total: int, message: str) -> None:
        """Say how far the work is."""
        self._reporter.put(
            OperationProgress(
                operation_id=self.operation_id,
                at=time.time(),
                done=done,
                total=total,
                message=message,
            )
        )

    def cancel(self) -> None:
        """Ask the work to end: somebody cancelled the operation."""
        self._cancelled.set()

    def halt(self) -> None:
        """Ask the work to end: the agent stops, and goes on with it at its next start."""
        self._halted.set()

    @property
    def was_halted(self) -> bool:
        """Whether the agent's stop, and no person, ended the work."""
        return self._halted.is_set() and not self._cancelled.is_set()

    def cancelled(self) -> bool:
        """Return whether the work should end at its next safe point."""
        return self._cancelled.is_set() or self._halted.is_set()

    def check(self) -> None:
        """Raise ``CancelledError`` if the work should end."""
        if self.cancelled():
            raise CancelledError("the operation was cancelled")

    def _line(self, text: str, stream: Literal["step", "stdout", "stderr"], service: str) -> None:
        with self._mutex:
            self._seq += 1
            line = OutputLine(
                seq=self._seq, at=time.time(), text=text, stream=stream, service=service
            )
            self._reporter.output(self.operation_id, line)
