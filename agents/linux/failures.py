"""Turns what the kernel says into the agent's own errors."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from agents.errors import KernelError, NotSupportedError, OutOfSpaceError


@contextmanager
def kernel_errors(doing: str, path: str | os.PathLike[str] = "") -> Iterator[None]:
    """Raise every OSError of the block as an AgentError that says what was being done.

    Raises:
        OutOfSpaceError: ENOSPC or EDQUOT.
        NotSupportedError: the kernel lacks the call.
        KernelError: everything else; has ``errno`` and ``path``.
    """
    try:
        yield
    except OSError as exc:
        raise kernel_error(doing, exc.errno or 0, exc.strerror or str(exc), path) from exc


def kernel_error(
    doing: str, number: int, reason: str, path: str | os.PathLike[str] = ""
) -> KernelError | NotSupportedError | OutOfSpaceError:
    """Return the error for one errno; ``doing`` completes the words "cannot …"."""
    where = os.fspath(path)
    message = f"cannot {doing}{f' {where}' if where else ''}: {reason}"
    if number in (errno.ENOSPC, errno.EDQUOT):
        return OutOfSpaceError(message, hint="Free some disk space on this host.")
    if number == errno.ENOSYS:
        return NotSupportedError(f"{message} (kernel {os.uname().release})")
    return KernelError(message, errno=number, path=where, hint=_hint(number))


def _hint(number: int) -> str:
    if number in (errno.EPERM, errno.EACCES):
        return "The agent must run as root, with the capabilities of root."
    return ""
