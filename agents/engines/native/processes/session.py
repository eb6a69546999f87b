"""A running exec, as whoever asked for it holds it."""

import os
import signal
import threading
from collections.abc import Callable
from time import monotonic

from agents.engines.abilities.processes import Chunk, Session
from agents.engines.native.processes.program import Program, set_size
from agents.engines.native.processes.streams import Streams
from agents.engines.native.processes.typing_in import Input
from agents.engines.signals import signal_number
from agents.engines.specs import TerminalSize
from agents.errors import InvalidInputError, TimedOutError
from agents.linux import process

KILL_AFTER = 5.0
Later = Callable[[float, Callable[[], None]], None]


class Exec:
    """A program of an exec from its start to its end, whoever looks at it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.exit_code: int | None = None
        self._ended = threading.Condition()

    def settle(self) -> None:
        """Take up the exit code of a program that has ended, or is just ending. Idempotent."""
        with self._ended:
            if self.exit_code is None:
                self.exit_code = self.program.exit_code()
                self.program.close()
                self._ended.notify_all()

    def wait(self, timeout: float | None) -> int:
        """See :meth:`Session.wait`."""
        deadline = None if timeout is None else monotonic() + timeout
        with self._ended:
            while self.exit_code is None:
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    raise TimedOutError("the program still runs")
                self._ended.wait(left)
            return self.exit_code

    def pid(self) -> int:
        """Return the host's number of the program, 0 unless it runs."""
        with self._ended:
            return 0 if self.exit_code is not None else self.program.pid

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        with self._ended:
            if self.exit_code is None:
                self.program.send_signal(number)


class ExecSession(Session):
    """See :class:`Session`. ``later`` has something done in some seconds.

    ``detached`` is for a program that goes on by itself from the start; ``on_detach`` is
    called when somebody wrote the detach keys.
    """

    def __init__(
        self,
        exec_id: str,
        running: Exec,
        *,
        tty: bool,
        detached: bool,
        detach_keys: bytes,
        later: Later,
        on_detach: Callable[[], None],
    ) -> None:
        self._on_detach = on_detach
        self.id = exec_id
        self.tty = tty
        self._detached = detached
        self._exec = running
        self._later = later
        program = running.program
        self._streams = Streams(program.sources, process.open_pidfd(program.runner.pid), tty=tty)
        # A terminal is read and written; each side closes its own.
        sink = os.dup(program.sink) if tty and program.sink >= 0 else program.sink
        self._input = Input(sink, detach_keys)
        self._terminal = os.dup(sink) if tty and sink >= 0 else -1
        self._lock = threading.Lock()
        self._closed = False

    def fileno(self) -> int:
        """See :meth:`Session.fileno`."""
        return self._streams.fileno()

    def read(self, timeout: float | None = 0.0) -> Chunk | None:
        """See :meth:`Session.read`."""
        return self._streams.read(timeout)

    def write(self, data: bytes, timeout: float | None = None) -> bool:
        """See :meth:`Session.write`."""
        was_detached = self._input.is_detached
        taken = self._input.write(data, timeout)
        if self._input.is_detached:
            self._streams.stop()
            if not was_detached:
                self._on_detach()
        return taken

    def close_stdin(self) -> None:
        """See :meth:`Session.close_stdin`."""
        if not self.tty:
            self._input.close()

    def resize(self, size: TerminalSize) -> None:
        """See :meth:`Session.resize`."""
        if not self.tty:
            raise InvalidInputError("it has no terminal", field="tty")
        with self._lock:
            if self._terminal >= 0:
                set_size(self._terminal, size.rows, size.columns)

    def wait(self, timeout: float | None = None) -> int:
        """See :meth:`Session.wait`."""
        return self._exec.wait(timeout)

    def kill(self, signal: str = "SIGKILL") -> None:
        """See :meth:`Session.kill`."""
        self._exec.send_signal(signal_number(signal))

    @property
    def is_detached(self) -> bool:
        """See :attr:`Session.is_detached`."""
        return self._detached or self._input.is_detached

    def close(self) -> None:
        """See :meth:`Session.close`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._terminal >= 0:
                os.close(self._terminal)
                self._terminal = -1
        if not self.is_detached and self._exec.exit_code is None:
            self._end()
        self._streams.close()
        self._input.close()

    def _end(self) -> None:
        self._exec.send_signal(signal.SIGHUP)
        self._later(KILL_AFTER, lambda: self._exec.send_signal(signal.SIGKILL))
