"""Ends what an agent that was killed has left running, and nobody else will end.

Two kinds: programs that it had started and was waiting for, and the idle children that hold
a namespace for a moment (:func:`agents.linux.syscalls.clone_idle`). They are looked for in
/proc by what only they have; see proc(5).
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from agents.errors import NotFoundError
from agents.linux import process

_PROC = Path("/proc")
_DEADLINE = 10.0
# The classic signals but for those that cannot be blocked; see signal(7).
_ALL = sum(1 << (one - 1) for one in range(1, 32) if one not in (signal.SIGKILL, signal.SIGSTOP))

Arguments = tuple[bytes, ...]
Unwanted = Callable[[Arguments], bool]


def end_orphans(is_unwanted: Unwanted) -> tuple[int, ...]:
    """End the programs whose arguments are unwanted, and idle children without a parent.

    Ours are never meant, nor what they started. Blocks until they have ended, for at most some
    seconds each. Returns the numbers of the processes.
    """
    own = _arguments(os.getpid())
    ended = []
    for pid in _others():
        arguments = _arguments(pid)
        idle = arguments == own and _parent_arguments(pid) != own and _is_deaf(pid)
        if arguments and (idle or is_unwanted(arguments)) and _end(pid, arguments):
            ended.append(pid)
    return tuple(ended)


def _others() -> Iterator[int]:
    for path in _PROC.iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid():
            yield int(path.name)


def _end(pid: int, arguments: Arguments) -> bool:
    try:
        pidfd = process.open_pidfd(pid)
    except NotFoundError:
        return False
    with ExitStack() as stack:
        stack.callback(os.close, pidfd)
        # Asked with the pidfd open, so the number cannot come to mean another.
        if _arguments(pid) != arguments or _is_ours(pid):
            return False
        process.send_signal(pidfd, signal.SIGKILL)
        process.wait_pidfd(pidfd, _DEADLINE)
    return True


def _is_ours(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = _parent(pid)
    return False


def _is_deaf(pid: int) -> bool:
    """Return whether a process blocks every signal, as no program does for long."""
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    blocked = int(status.partition("\nSigBlk:")[2].split()[0], 16)
    return blocked & _ALL == _ALL


def _arguments(pid: int) -> Arguments:
    """Return the arguments of a process; none if it has ended, or is the kernel's own."""
    try:
        text = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return tuple(text.removesuffix(b"\0").split(b"\0")) if text else ()


def _parent_arguments(pid: int) -> Arguments:
    return _arguments(_parent(pid))


def _parent(pid: int) -> int:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(stat.rpartition(")")[2].split()[1])
