"""conmon, which watches one container: keeps its output, reaps it, notes its exit code.

See conmon(8). It is a process of its own, so containers outlive the agent.
"""

import os
import select
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import msgspec

from agents.engines.native import runtime
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.oci.defaults import PATH
from agents.engines.specs import ContainerSpec
from agents.errors import InvalidInputError, NotFoundError, ProgramError, TimedOutError
from agents.linux import process
from agents.linux.failures import kernel_errors

CONMON = "conmon"
DEADLINE = 60.0
LEAVE_TIME = 5.0
# What crun and runc say when the command is at fault, not the machine.
_COMMAND_FAULTS = (
    "executable file",
    "exec format error",
    "no such file or directory: open executable",
    "permission denied",
)


@dataclass(frozen=True, kw_only=True)
class Pids:
    """The processes of a container that was created."""

    monitor: int
    init: int


class _Answer(msgspec.Struct, frozen=True):
    """What conmon writes to the sync pipe: the first process's number, or below 0 a fault."""

    data: int
    message: str = ""


def stream_options(spec: ContainerSpec) -> tuple[str, ...]:
    """Return what conmon is told of a container's terminal and stdin. Pure."""
    options = ["--terminal"] if spec.tty else []
    if spec.open_stdin:
        options.append("--stdin")
    if spec.tty or not spec.stdin_once:
        # Otherwise the first who detaches takes the input away from all.
        options.append("--leave-stdin-open")
    return tuple(options)


def conmon_argv(
    container_id: str,
    paths: ContainerPaths,
    runtime_state: Path,
    command: tuple[str, ...],
    streams: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Return how conmon is started for a container whose bundle is ready. Pure.

    ``command`` starts the runtime; see :func:`agents.engines.native.runtime.command`.
    ``streams`` are of :func:`stream_options`.
    """
    program, *leading = command
    runtime_arguments = (*leading, f"--root={runtime_state}")
    return (
        CONMON,
        "--api-version",
        "1",
        # Without it conmon 2.1 wants /var/run/crio, and dies without a word.
        "--full-attach",
        *streams,
        "--cid",
        container_id,
        "--cuuid",
        container_id,
        "--runtime",
        program,
        *(f"--runtime-arg={argument}" for argument in runtime_arguments),
        "--bundle",
        str(paths.bundle),
        "--container-pidfile",
        str(paths.init_pid),
        "--conmon-pidfile",
        str(paths.monitor_pid),
        "--log-path",
        f"k8s-file:{paths.log}",
        "--exit-dir",
        str(paths.exits),
    )


def create(
    container_id: str,
    paths: ContainerPaths,
    runtime_state: Path,
    streams: tuple[str, ...] = (),
) -> Pids:
    """Start conmon and have it create the container; its program does not run yet.

    Blocks until the runtime is done.

    Raises:
        InvalidInputError: the command is not in the image or cannot be executed.
        ProgramError: the runtime or conmon failed.
        TimedOutError: neither answered in time.
    """
    with ExitStack() as stack:
        command = stack.enter_context(runtime.command())
        argv = conmon_argv(container_id, paths, runtime_state, command, streams)
        reader, writer = os.pipe2(os.O_CLOEXEC)
        stack.callback(os.close, reader)
        with ExitStack() as ours:
            ours.callback(os.close, writer)
            environment = {
                "PATH": os.environ.get("PATH", PATH),
                # Without, GLib takes no path that is not ASCII.
                "LC_ALL": "C.UTF-8",
                "_OCI_SYNCPIPE": str(writer),
            }
            # conmon leaves a file "oom" where it stands when the kernel kills for memory.
            started = process.spawn(argv, env=environment, pass_fds=(writer,), cwd=paths.state)
        answer = _read_line(reader)
    # What we started forked the true monitor, and ends by itself.
    started.wait(DEADLINE)
    init = _init_pid(argv, answer)
    return Pids(monitor=read_pid(paths.monitor_pid), init=init)


def _read_line(fd: int) -> bytes:
    deadline = monotonic() + DEADLINE
    data = b""
    while not data.endswith(b"\n"):
        if not select.select([fd], [], [], max(0.0, deadline - monotonic()))[0]:
            raise TimedOutError(f"conmon did not answer within {DEADLINE:.0f} seconds")
        chunk = os.read(fd, 65536)
        if not chunk:
            break
        data += chunk
    return data


def _init_pid(argv: tuple[str, ...], answer: bytes) -> int:
    try:
        told = msgspec.json.decode(answer, type=_Answer)
    except msgspec.DecodeError as exc:
        raise ProgramError(
            "conmon ended without an answer",
            argv=argv,
            exit_code=1,
            stderr=answer.decode(errors="replace"),
        ) from exc
    if told.data > 0:
        return told.data
    raise _failure(argv, told.data, told.message.strip())


def _failure(argv: tuple[str, ...], code: int, message: str) -> InvalidInputError | ProgramError:
    if any(fault in message.lower() for fault in _COMMAND_FAULTS):
        return InvalidInputError(
            f"the command cannot be run: {message}",
            hint="Check that the program is in the image and can be executed.",
            field="command",
        )
    return ProgramError(
        f"the container cannot be created: {message}", argv=argv, exit_code=code, stderr=message
    )


def read_pid(path: Path) -> int:
    """Return the number in a pid file of conmon's. Raises KernelError."""
    with kernel_errors("read", path):
        return int(path.read_text())


def read_exit_code(container_id: str, paths: ContainerPaths) -> int | None:
    """Return what conmon noted at the end of the container, None if it did not."""
    with suppress(FileNotFoundError, ValueError):
        return int((paths.exits / container_id).read_text())
    return None


def forget_exit(container_id: str, paths: ContainerPaths) -> None:
    """Remove the note of an earlier end. Idempotent."""
    (paths.exits / container_id).unlink(missing_ok=True)


def await_end(container_id: str, paths: ContainerPaths) -> None:
    """Wait until the container's conmon has ended, which it does when the container is gone.

    One that does not is stopped. Idempotent.
    """
    pid = _find_monitor(container_id, paths)
    if pid is None:
        return
    with suppress(NotFoundError):
        pidfd = process.open_pidfd(pid)
        try:
            ended = process.wait_pidfd(pidfd, LEAVE_TIME)
        finally:
            os.close(pidfd)
        if not ended:
            process.stop(pid)


def _find_monitor(container_id: str, paths: ContainerPaths) -> int | None:
    """Return the conmon of a pid file, if the number still means it."""
    try:
        pid = int(paths.monitor_pid.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if container_id.encode() in command.split(b"\0") else None
