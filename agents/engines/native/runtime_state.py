"""What crun keeps of a container in its state folder, used without starting crun for it.

A program costs 3 to 15 ms where these acts are a few system calls. What is found otherwise
than expected is left to the runtime itself: another version, another runtime, a container
that was cut off while it was made.
"""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

import msgspec

from agents.engines.native import runtime
from agents.linux import process
from agents.linux.failures import kernel_errors

# crun's container waits for one byte in it before it runs its program; "start" writes that.
_FIFO = "exec.fifo"
_STATUS = "status"


class _Status(msgspec.Struct, frozen=True, rename="kebab"):
    pid: int
    process_start_time: int


def start(state: Path, container_id: str) -> None:
    """Let a container that was created run its program; ``runtime start`` in effect.

    Raises ProgramError with what the runtime says.
    """
    if runtime.runtime_path().name != "crun" or not _write_fifo(state / container_id / _FIFO):
        runtime.run(state, "start", container_id)


def _write_fifo(path: Path) -> bool:
    """Write the byte; return False where nobody waits for it."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno in (errno.ENOENT, errno.ENXIO):
            return False
        raise
    try:
        # Before the byte: as long as it is there, crun takes the container for not started.
        path.unlink()
        os.write(fd, b"0")
    finally:
        os.close(fd)
    return True


def has_ended(state: Path, container_id: str) -> bool:
    """Return whether the first process of a container is surely gone.

    A container of which the runtime knows nothing counts as ended; one that it knows in a
    way that is not understood here does not.
    """
    folder = state / container_id
    try:
        status = msgspec.json.decode((folder / _STATUS).read_bytes(), type=_Status)
    except FileNotFoundError:
        return not folder.exists()
    except (OSError, msgspec.DecodeError):
        return False
    same = process.start_time(status.pid) == status.process_start_time
    return not (same and process.is_running(status.pid))


def forget(state: Path, container_id: str) -> None:
    """Remove what the runtime keeps of a container that has ended. Idempotent.

    Raises KernelError.
    """
    folder = state / container_id
    with kernel_errors("remove", folder), suppress(FileNotFoundError):
        shutil.rmtree(folder)
