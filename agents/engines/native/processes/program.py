"""Starts the program of an exec through the runtime, and knows it from then on.

The runtime is our child until the program ends, and passes on its exit code. What it wants
in files it gets in memory (memfd_create(2)), so that nothing is left on disk.
"""

import array
import os
import select
import signal
import socket
import stat
import termios
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

from agents.engines.abilities.processes import Stream
from agents.engines.native import runtime
from agents.engines.native.processes.plan import ExecPlan
from agents.errors import NotFoundError, NotSupportedError, ProgramError, TimedOutError
from agents.linux import process
from agents.linux.failures import kernel_errors

DEADLINE = 30.0
NOT_EXECUTABLE = 126
NOT_FOUND = 127
_PTMX = os.makedev(5, 2)
_MISSING = ("no such file or directory", "not found")
_CONSOLE = "console"


@dataclass(frozen=True, kw_only=True)
class Where:
    """The runtime's own state, the container in it, a folder for sockets, and who owns the
    streams (host's numbers). ``admit`` puts the runtime where it does not go by itself.
    """

    state: Path
    container_id: str
    folder: Path
    owner: tuple[int, int]
    admit: Callable[[int], None]


@dataclass(kw_only=True)
class Program:
    """A program of an exec. ``sources`` are to be read, ``sink`` is its input, -1 for none.

    They are non-blocking, and whoever starts the program closes them.
    """

    runner: process.Process[bytes]
    sources: Mapping[int, Stream]
    sink: int
    _pid_file: int
    _log: int
    _faulted: str | None = None

    @property
    def pid(self) -> int:
        """Return the host's number of the program, 0 when it has not started or has ended."""
        text = os.pread(self._pid_file, 20, 0)
        number = int(text) if text.strip().isdigit() else 0
        return number if number and _parent(number) == self.runner.pid else 0

    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self.runner.poll() is None

    def exit_code(self) -> int:
        """Return how it ended; blocks until then. See ``Session.wait`` for the numbers."""
        code = self.runner.wait()
        if code < 0:
            return 128 - code
        fault = self.fault() if code else ""
        if not fault:
            return code
        return NOT_FOUND if any(word in fault.lower() for word in _MISSING) else NOT_EXECUTABLE

    def fault(self) -> str:
        """Return what the runtime said against starting it, "" if it started."""
        if self._faulted is None:
            size = os.fstat(self._log).st_size
            self._faulted = os.pread(self._log, size, 0).decode(errors="replace")
        return self._faulted

    def send_signal(self, number: int) -> None:
        """Send a signal, once it has started. Nothing happens when it has ended."""
        deadline = monotonic() + DEADLINE
        while self.is_running() and monotonic() < deadline:
            pid = self.pid
            if pid and self._signal_child(pid, number):
                return
            with suppress(NotFoundError):
                _await_end(self.runner.pid, 0.01)

    def _signal_child(self, pid: int, number: int) -> bool:
        try:
            pidfd = process.open_pidfd(pid)
        except NotFoundError:
            return False
        try:
            # Asked again with the pidfd open: the number cannot come to mean another now.
            return self.pid == pid and process.send_signal(pidfd, number)
        finally:
            os.close(pidfd)

    def close(self) -> None:
        """Let go of what is known of it; call once, when it has ended."""
        self.fault()
        os.close(self._log)
        os.close(self._pid_file)


def start(where: Where, plan: ExecPlan, *, stdin: bool, streams: bool) -> Program:
    """Start a program; with ``streams`` its output is to be read, else it goes nowhere.

    Returns when the runtime was started, with a terminal when that is there.

    Raises:
        ProgramError, NotSupportedError: the runtime cannot be started.
        TimedOutError: the terminal did not come.
    """
    with ExitStack() as undo, ExitStack() as ours:
        files = [_memory_file(undo, name) for name in ("pid", "log")]
        plan_file = _memory_file(ours, "process")
        os.write(plan_file, plan.encode())
        launch = _Launch(where=where, plan_file=plan_file, pid=files[0], log=files[1])
        if plan.process.terminal:
            program = launch.with_terminal(undo)
        elif streams:
            program = launch.with_pipes(undo, ours, stdin=stdin)
        else:
            program = launch.alone()
        undo.pop_all()
    return program


@dataclass(frozen=True, kw_only=True)
class _Launch:
    where: Where
    plan_file: int
    pid: int
    log: int

    def alone(self) -> Program:
        return self._program(self._spawn(), {}, -1)

    def with_pipes(self, undo: ExitStack, ours: ExitStack, *, stdin: bool) -> Program:
        out, err = self._pipe(undo, ours, "read"), self._pipe(undo, ours, "read")
        source, sink = self._pipe(undo, ours, "write") if stdin else (None, -1)
        runner = self._spawn(stdin=source, stdout=out[0], stderr=err[0])
        return self._program(runner, {out[1]: "stdout", err[1]: "stderr"}, sink)

    def with_terminal(self, undo: ExitStack) -> Program:
        if runtime.runtime_path().name != "crun":
            # runc gives its terminal away only when it does not wait for the program.
            raise NotSupportedError(
                "terminals of execs need crun", hint="Install the package crun.", field="tty"
            )
        with _ConsoleSocket(self.where.folder) as console:
            runner = self._spawn(f"--console-socket={console.path}")
            terminal = console.receive(runner)
        program = self._program(runner, {}, -1)
        if terminal < 0:
            return _told(program, undo)
        undo.callback(os.close, terminal)
        os.set_blocking(terminal, False)
        program.sources, program.sink = {terminal: "stdout"}, terminal
        return program

    def _spawn(self, *options: str, **streams: int | None) -> process.Process[bytes]:
        files = (self.plan_file, self.pid, self.log)
        runner = runtime.spawn(
            self.where.state,
            f"--log={_path(self.log)}",
            "exec",
            f"--process={_path(self.plan_file)}",
            f"--pid-file={_path(self.pid)}",
            *options,
            self.where.container_id,
            pass_fds=files,
            **streams,
        )
        self.where.admit(runner.pid)
        return runner

    def _program(
        self, runner: process.Process[bytes], sources: Mapping[int, Stream], sink: int
    ) -> Program:
        return Program(runner=runner, sources=sources, sink=sink, _pid_file=self.pid, _log=self.log)

    def _pipe(
        self, undo: ExitStack, ours: ExitStack, side: Literal["read", "write"]
    ) -> tuple[int, int]:
        """Return the program's end, closed after the start, and ours."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        theirs, own = (writer, reader) if side == "read" else (reader, writer)
        undo.callback(os.close, own)
        ours.callback(os.close, theirs)
        os.set_blocking(own, False)
        # So that it may open /dev/stdout again, also from a user namespace.
        os.fchown(theirs, *self.where.owner)
        return theirs, own


class _ConsoleSocket:
    """Where the runtime sends the terminal that it made in the container."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _CONSOLE
        self._stack = ExitStack()

    def __enter__(self) -> "_ConsoleSocket":
        with self._stack as stack, kernel_errors("listen at", self._path):
            folder = os.open(self._path.parent, os.O_PATH | os.O_CLOEXEC)
            stack.callback(os.close, folder)
            # Any path may be longer than an address can be (unix(7)).
            self.path = f"/proc/{os.getpid()}/fd/{folder}/{_CONSOLE}"
            self._socket = stack.enter_context(socket.socket(socket.AF_UNIX))
            self._socket.bind(self.path)
            stack.callback(self._path.unlink, missing_ok=True)
            self._socket.listen(1)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def receive(self, runner: process.Process[bytes]) -> int:
        """Return the terminal, -1 if the runtime ended without one. Raises TimedOutError."""
        if not self._await_connection(runner):
            return -1
        connection, _ = self._socket.accept()
        with connection:
            connection.settimeout(DEADLINE)
            _, extra, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(array.array("i").itemsize))
        if not extra:
            return -1
        return _checked(array.array("i", extra[0][2])[0], runner)

    def _await_connection(self, runner: process.Process[bytes]) -> bool:
        pidfd = process.open_pidfd(runner.pid)
        try:
            poller = select.poll()
            poller.register(pidfd, select.POLLIN)
            poller.register(self._socket, select.POLLIN)
            ready = {fd for fd, _ in poller.poll(DEADLINE * 1000)}
        finally:
            os.close(pidfd)
        if not ready:
            runner.kill()
            runner.wait()
            raise TimedOutError(f"the terminal did not come within {DEADLINE:.0f} seconds")
        return self._socket.fileno() in ready


def _checked(fd: int, runner: process.Process[bytes]) -> int:
    """Return a descriptor that really is a terminal's: it comes out of the container."""
    os.set_inheritable(fd, False)
    found = os.fstat(fd)
    if stat.S_ISCHR(found.st_mode) and found.st_rdev == _PTMX and os.isatty(fd):
        return fd
    os.close(fd)
    runner.kill()
    runner.wait()
    raise ProgramError(
        "the container's /dev/ptmx is no terminal", argv=("exec",), exit_code=1, stderr=""
    )


def _told(program: Program, undo: ExitStack) -> Program:
    """Give a program that never started its fault as output, where a terminal would be.

    It is not reaped here: its number must go on meaning it until somebody watches it.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    undo.callback(os.close, reader)
    with os.fdopen(writer, "wb") as file:
        file.write(program.fault().encode())
    program.sources = {reader: "stdout"}
    return program


def set_size(terminal: int, rows: int, columns: int) -> None:
    """Set a terminal's size. Raises KernelError."""
    with kernel_errors("resize the terminal"):
        try:
            termios.tcsetwinsize(terminal, (rows, columns))
        except termios.error as exc:
            raise OSError(*exc.args) from exc


def end_orphan(runner: int) -> None:
    """Kill the programs that a runtime of an earlier agent still looks after. Idempotent."""
    path = Path(f"/proc/{runner}/task/{runner}/children")
    with suppress(FileNotFoundError, ProcessLookupError):
        for pid in path.read_text().split():
            process.signal_process(int(pid), signal.SIGKILL)


def _memory_file(stack: ExitStack, name: str) -> int:
    fd = os.memfd_create(f"exec-{name}", os.MFD_CLOEXEC)
    stack.callback(os.close, fd)
    return fd


def _path(fd: int) -> str:
    return f"/proc/self/fd/{fd}"


def _parent(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.rpartition(")")[2].split()[1])


def _await_end(pid: int, timeout: float) -> bool:
    pidfd = process.open_pidfd(pid)
    try:
        return process.wait_pidfd(pidfd, timeout)
    finally:
        os.close(pidfd)
