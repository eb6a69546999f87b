"""One run of a health check in a container, without a thread of its own."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from agents.engines.native.containers.supervisor import Supervisor
from agents.linux import process
from agents.protocol.records import HealthResult

OUTPUT_LIMIT = 4096
TIMED_OUT = -1
_CHUNK = 65536

OnResult = Callable[[HealthResult], None]
Spawn = Callable[[int], process.Process[bytes]]


class Probe:
    """A check that runs. Its output is drained to the end, and kept up to 4 kB.

    ``on_result`` is called once, in a thread of the supervisor's pool.
    """

    def __init__(
        self, supervisor: Supervisor, pid_file: Path, timeout: float, on_result: OnResult
    ) -> None:
        self._supervisor = supervisor
        self._pid_file = pid_file
        self._timeout = timeout
        self._on_result = on_result
        self._lock = threading.Lock()
        self._output = bytearray()
        self._is_open = True
        self._has_ended = False
        self._is_late = False

    def start(self, spawn: Spawn) -> None:
        """Start the runtime that runs the check; ``spawn`` gives it a pipe to write to.

        Raises what ``spawn`` does.
        """
        self._pid_file.unlink(missing_ok=True)
        self._started_at = time.time()
        with ExitStack() as undo:
            self._reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            undo.callback(os.close, self._reader)
            try:
                # The check itself must block when its output is not taken at once.
                os.set_blocking(writer, True)
                self._process = spawn(writer)
            finally:
                os.close(writer)
            undo.pop_all()
        self._supervisor.on_input(self._reader, self._read)
        self._supervisor.on_end(self._process.pid, self._end)
        self._supervisor.after(self._timeout, self._give_up)

    def _read(self) -> bool:
        """Take what is there; return whether more may come."""
        with self._lock:
            return self._is_open and self._drain()

    def _drain(self) -> bool:
        """Return True when there is no more now, False at the end."""
        while True:
            try:
                chunk = os.read(self._reader, _CHUNK)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._output += chunk[: max(0, OUTPUT_LIMIT - len(self._output))]

    def _give_up(self) -> None:
        with self._lock:
            if self._has_ended:
                return
            self._is_late = True
            kill_check(self._pid_file)
            # Not waited for here: the end is told like any other.
            self._process.kill()

    def _end(self) -> None:
        code = self._reap()
        if code is not None:
            self._on_result(self._result(code))

    def _reap(self) -> int | None:
        """Take up what is left of the check; return its exit code, None the second time."""
        self._supervisor.drop_input(self._reader)
        with self._lock:
            if self._has_ended:
                return None
            self._has_ended = True
            code = self._process.wait()
            self._drain()
            self._is_open = False
            os.close(self._reader)
        return code

    def abandon(self) -> None:
        """End the check now; its result is told to nobody. Idempotent."""
        with self._lock:
            if not self._has_ended:
                kill_check(self._pid_file)
                self._process.kill()
        self._reap()

    def _result(self, code: int) -> HealthResult:
        output = self._output.decode(errors="replace")
        if self._is_late:
            code = TIMED_OUT
            output = f"The check took longer than {self._timeout:g} s and was ended.\n{output}"
        return HealthResult(
            started_at=self._started_at, finished_at=time.time(), exit_code=code, output=output
        )


def kill_left(pid_file: Path, init: int) -> None:
    """Kill the check of an earlier agent, if it still runs in the container of ``init``.

    The number may have come to mean anybody since it was written. Idempotent.
    """
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        if pid != init and _mounts_of(pid) == _mounts_of(init):
            kill_check(pid_file)


def _mounts_of(pid: int) -> int:
    """Return which mount namespace a process is in; no two containers share one."""
    return Path(f"/proc/{pid}/ns/mnt").stat().st_ino


def kill_check(pid_file: Path) -> None:
    """Kill a check with its process group, by the number that the runtime wrote. Idempotent."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        # The runtime gives each program of an exec a session of its own.
        os.killpg(os.getpgid(pid), signal.SIGKILL)
