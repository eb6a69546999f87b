"""Begins the agent's own process so that it stays small; measured together it is 25 MB.

Without docstrings and assertions, with one heap for all threads (mallopt(3)), without rich,
which structlog loads where it is installed for a console that there is not, and from compiled
modules: what Python compiles at a start leaves 12 MB behind in the process that did it. Of
pyroute2 it has only what it asks for by name: the package itself imports all that there is,
from wireless networks to a database, which is 5 MB.
"""

import importlib.util
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_OPTIMIZED = 2
_FOLDER = "bytecode"
# Set in the process that was begun again because modules had to be compiled.
_AGAIN = "WEBPANEL_AGENT_COMPILED"
_started = time.time()


def begin(arguments: Sequence[str], root: Path) -> None:
    """Start ``python -m agents`` again in this process's place, unless it is lean already.

    Compiled modules are kept below ``root``, or where PYTHONPYCACHEPREFIX says.
    """
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # None bars the import
    _leave_bare("pyroute2")
    if sys.flags.optimize < _OPTIMIZED:
        environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
        environment.setdefault("PYTHONPYCACHEPREFIX", str(root / _FOLDER))
        # It is said to keep sources' folders clean, which stay so.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment.pop(_AGAIN, None)
        _become(arguments, environment)


def begin_again(arguments: Sequence[str]) -> None:
    """Start it once more if modules had to be compiled; call when all are imported.

    Only once: where nothing compiled can be kept, the process goes on as it is.
    """
    if _AGAIN not in os.environ and _was_compiled():
        _become(arguments, {**os.environ, _AGAIN: "1"})


def _leave_bare(name: str) -> None:
    """Have a package be nothing but a place for its modules, as a namespace package is."""
    spec = importlib.util.find_spec(name)
    if spec is None or name in sys.modules:
        return
    package = importlib.util.module_from_spec(spec)
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[name] = package


def _become(arguments: Sequence[str], environment: dict[str, str]) -> None:
    argv = [sys.executable, "-OO", "-m", "agents", *arguments]
    os.execve(sys.executable, argv, environment)  # noqa: S606 it becomes itself, no child


def _was_compiled() -> bool:
    """Return whether a module's compiled form was written by this process, or could not be."""
    files = (getattr(module, "__cached__", None) for module in tuple(sys.modules.values()))
    return any(_is_new(file) for file in files if file)


def _is_new(file: str) -> bool:
    try:
        return Path(file).stat().st_mtime >= _started
    except OSError:
        return True
