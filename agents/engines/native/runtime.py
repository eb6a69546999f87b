"""Which OCI runtime this machine has, and how it is called.

crun refuses to work while /sys/fs/cgroup/unified holds controllers, as it does on hosts
that mount every controller on its own and a cgroup v2 tree beside them ("hybrid"). There
it is started from a thread whose mount namespace lacks that tree: 0.2 ms a call, where a
shell with unshare(1) took 4.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TypeVar

from agents.errors import NotSupportedError
from agents.linux import private_mounts, process

UNIFIED = Path("/sys/fs/cgroup/unified")
DEADLINE = 60.0
_SPAWN_DEADLINE = 30.0
# Past the program's own deadline there is nothing left to wait for.
_MARGIN = 5.0
_HINT = "Install the packages crun and conmon."

T = TypeVar("T")


@cache
def runtime_path() -> Path:
    """Return the program of the runtime: crun, or runc where there is no crun.

    Raises:
        NotSupportedError: neither is installed.
    """
    for name in ("crun", "runc"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise NotSupportedError("neither crun nor runc is installed", hint=_HINT)


def run(
    state: Path,
    *arguments: str,
    check: bool = True,
    timeout: float = DEADLINE,
    pass_fds: Sequence[int] = (),
) -> process.Completed:
    """Run the runtime, which keeps its own state in ``state``, to its end.

    Blocks. Raises as :func:`process.run`, and ``NotSupportedError`` without a runtime.
    """
    argv = _argv(state, arguments)

    def call() -> process.Completed:
        return process.run(argv, check=check, timeout=timeout, pass_fds=pass_fds)

    return _in_view(call, timeout + _MARGIN)


def spawn(
    state: Path,
    *arguments: str,
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
) -> process.Process[bytes]:
    """Start the runtime and return at once; see :func:`process.spawn`."""
    argv = _argv(state, arguments)

    def call() -> process.Process[bytes]:
        return process.spawn(argv, stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=pass_fds)

    return _in_view(call, _SPAWN_DEADLINE)


@contextmanager
def command() -> Iterator[tuple[str, ...]]:
    """Give how another program starts the runtime, before any option, while the block lasts.

    Where crun needs another mount namespace that is a call of nsenter(1), so that the other
    program, which may live long, holds none of the mounts.

    Raises:
        NotSupportedError: no runtime is installed.
    """
    path = str(runtime_path())
    if not _needs_view():
        yield (path,)
        return
    with private_mounts.opened_without(UNIFIED) as fd:
        yield (_nsenter(), f"--mount=/proc/{os.getpid()}/fd/{fd}", "--", path)


def _argv(state: Path, arguments: tuple[str, ...]) -> tuple[str, ...]:
    return (str(runtime_path()), f"--root={state}", *arguments)


def _in_view(call: Callable[[], T], deadline: float) -> T:
    if not _needs_view():
        return call()
    return private_mounts.run_without(UNIFIED, call, deadline=deadline)


@cache
def _nsenter() -> str:
    # conmon looks for its runtime at a path, not in PATH.
    found = shutil.which("nsenter")
    if found is None:
        raise NotSupportedError(
            "nsenter is not installed, without which crun cannot run on hybrid cgroups",
            hint="Install the package util-linux.",
        )
    return found


@cache
def _needs_view() -> bool:
    if runtime_path().name != "crun":
        return False
    try:
        return bool((UNIFIED / "cgroup.controllers").read_text().strip())
    except OSError:
        return False


def build_cgroup(name: str) -> str:
    """Return the cgroup of a container that runs a build's command."""
    return f"/webpanel-{name}"
