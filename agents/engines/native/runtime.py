"""Which OCI runtime this machine has, and how it is called."""

import shutil
from functools import cache
from pathlib import Path

from agents.errors import NotSupportedError

UNIFIED_CONTROLLERS = Path("/sys/fs/cgroup/unified/cgroup.controllers")
_WRAPPER = Path(__file__).with_name("crun-hybrid")
_HINT = "Install the packages crun and conmon."


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


@cache
def runtime_command() -> tuple[str, ...]:
    """Return how to start the runtime, before any option.

    On hosts whose hybrid cgroups crun refuses this is a shell with our wrapper script
    (a script and a shell, because an installed wheel may lose the executable bit).

    Raises:
        NotSupportedError: no runtime is installed.
    """
    path = runtime_path()
    if path.name == "crun" and _has_hybrid_controllers():
        return ("/bin/sh", str(_WRAPPER))
    return (str(path),)


def runtime_argv(state: Path, *arguments: str) -> tuple[str, ...]:
    """Return the argv of one call of the runtime that keeps its own state in ``state``.

    >>> runtime_argv(Path("/run/x/crun"), "delete", "--force", "abc")[-4:]
    ('--root=/run/x/crun', 'delete', '--force', 'abc')
    """
    return (*runtime_command(), f"--root={state}", *arguments)


def _has_hybrid_controllers() -> bool:
    try:
        return bool(UNIFIED_CONTROLLERS.read_text().strip())
    except OSError:
        return False
