"""The only place where the agent starts programs.

Programs are argv lists, never shell strings. ``run`` waits for the end, ``spawn`` starts
something that lives on its own, and the ``*_pidfd`` functions watch and signal a process
by a file descriptor, so that a recycled process number is never hit (see pidfd_open(2)).
"""

import errno
import logging
import os
import select
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agents.errors import NotFoundError, ProgramError, TimedOutError

logger = logging.getLogger(__name__)

NOT_EXECUTABLE = 126
NOT_FOUND = 127
STDERR_LIMIT = 4000

PIPE = subprocess.PIPE
STDOUT = subprocess.STDOUT
Process = subprocess.Popen


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A program that has ended. ``exit_code`` is negative when a signal ended it."""

    argv: tuple[str, ...]
    stdout: bytes
    stderr: bytes
    exit_code: int

    def text(self) -> str:
        """Return stdout as text; bytes that are no UTF-8 become U+FFFD."""
        return self.stdout.decode(errors="replace")


def run(
    argv: Sequence[str],
    *,
    input: bytes | None = None,
    timeout: float | None = 60.0,
    env: Mapping[str, str] | None = None,
    check: bool = True,
    pass_fds: Sequence[int] = (),
    cwd: Path | None = None,
) -> Completed:
    """Run a program to its end and return what it wrote.

    Blocks for at most ``timeout`` seconds (None: for ever); past it the program is killed.
    ``env`` replaces the whole environment. Without ``input`` stdin is /dev/null.

    Raises:
        ProgramError: it is not installed or, if ``check``, it ended with an error.
        TimedOutError: it did not end in time.
    """
    args = tuple(argv)
    logger.debug("run: %s", shlex.join(args))
    try:
        done = subprocess.run(
            args,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=timeout,
            env=env,
            pass_fds=pass_fds,
            cwd=cwd,
            check=False,
        )
    except OSError as exc:
        raise _cannot_start(args, exc, cwd) from exc
    except subprocess.TimeoutExpired as exc:
        raise TimedOutError(f"{args[0]} did not end within {timeout} seconds") from exc
    completed = Completed(
        argv=args, stdout=done.stdout, stderr=done.stderr, exit_code=done.returncode
    )
    if check and completed.exit_code != 0:
        raise failure(completed)
    return completed


def spawn(
    argv: Sequence[str],
    *,
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    cwd: Path | None = None,
    new_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a program and return at once; the caller waits for it or lets it live on.

    Streams are file descriptors or files, None is /dev/null; ``PIPE`` makes a pipe. With
    ``new_session`` signals to the agent's process group do not reach it (see setsid(2)).

    Raises:
        ProgramError: it is not installed or cannot be executed.
    """
    args = tuple(argv)
    logger.debug("spawn: %s", shlex.join(args))
    null = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            args,
            stdin=null if stdin is None else stdin,
            stdout=null if stdout is None else stdout,
            stderr=null if stderr is None else stderr,
            env=env,
            pass_fds=pass_fds,
            cwd=cwd,
            start_new_session=new_session,
        )
    except OSError as exc:
        raise _cannot_start(args, exc, cwd) from exc


def let_go(program: subprocess.Popen[bytes]) -> None:
    """Stop knowing a program that we started; it lives on, and its end is not our concern."""
    program.returncode = 0


def failure(completed: Completed) -> ProgramError:
    """Return the error that tells how a program failed, with the end of its stderr."""
    stderr = completed.stderr.decode(errors="replace").strip()[-STDERR_LIMIT:]
    name = completed.argv[0]
    if completed.exit_code < 0:
        message = f"{name} was ended by {_signal_name(-completed.exit_code)}"
    elif stderr:
        message = f"{name} ended with exit code {completed.exit_code}: {stderr.splitlines()[-1]}"
    else:
        message = f"{name} ended with exit code {completed.exit_code}"
    return ProgramError(message, argv=completed.argv, exit_code=completed.exit_code, stderr=stderr)


def _cannot_start(argv: tuple[str, ...], exc: OSError, cwd: Path | None) -> ProgramError:
    if exc.errno == errno.ENOENT and cwd is not None and not cwd.is_dir():
        message, code = f"the folder {cwd} to run {argv[0]} in is not there", NOT_FOUND
    elif exc.errno == errno.ENOENT:
        message, code = f"the program {argv[0]} is not installed", NOT_FOUND
    else:
        message, code = f"{argv[0]} cannot be started: {exc.strerror}", NOT_EXECUTABLE
    return ProgramError(message, argv=argv, exit_code=code, stderr="")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def open_pidfd(pid: int) -> int:
    """Return a close-on-exec file descriptor of a process (pidfd_open(2)).

    Raises:
        NotFoundError: there is no such process.
    """
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError as exc:
        raise NotFoundError(f"there is no process {pid}") from exc


def send_signal(pidfd: int, number: int) -> bool:
    """Send a signal by a pidfd; return False when the process has already ended."""
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return False
    return True


def signal_process(pid: int, number: int) -> bool:
    """Send a signal to a process by its number; return False when it is not there."""
    try:
        pidfd = open_pidfd(pid)
    except NotFoundError:
        return False
    try:
        return send_signal(pidfd, number)
    finally:
        os.close(pidfd)


def wait_pidfd(pidfd: int, timeout: float | None) -> bool:
    """Block until the process ends, for at most ``timeout`` seconds; return whether it did.

    A zombie counts as ended.
    """
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(None if timeout is None else max(0, round(timeout * 1000))))


def is_running(pid: int) -> bool:
    """Return whether a process is there and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it is not there.

    The number and the start time together name a process for the life of the machine.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


def stop(pid: int, *, grace: float = 5.0) -> None:
    """End a process: SIGTERM, then SIGKILL after ``grace`` seconds. Idempotent; blocks.

    A child of ours is reaped.
    """
    try:
        pidfd = open_pidfd(pid)
    except NotFoundError:
        return
    try:
        if send_signal(pidfd, signal.SIGTERM) and not wait_pidfd(pidfd, grace):
            send_signal(pidfd, signal.SIGKILL)
            wait_pidfd(pidfd, grace)
        _reap(pidfd)
    finally:
        os.close(pidfd)


def _reap(pidfd: int) -> None:
    try:
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        return
