"""Where the time of an act goes: the kernel's and other programs' parts told apart.

For the time of a measurement, the functions by which the agent reaches beyond Python are
wrapped. Only the thread that asked is looked at: what it waits for counts as what it called.
"""

import functools
import inspect
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from agents.engines.native import runtime
from agents.linux import process

PYTHON = "the agent's own Python"
KERNEL = "other system calls"
RUNTIME = "the runtime's"
# Each module with those below it.
MODULES = {
    "agents.linux.cgroups": "cgroups",
    "agents.linux.mounts": "mounts",
    "agents.linux.syscalls": KERNEL,
    "agents.linux.namespaces": "namespaces",
    "agents.linux.netlink": "links, addresses and routes",
    "agents.linux.nftables": "packet rules",
    "agents.engines.native.network.names": "names",
    "agents.engines.native.containers.conmon": "conmon with the runtime's create",
}
SYNC = "waiting for the disk (fsync)"


@dataclass
class Spans:
    """Seconds by what they were spent on, of the thread that made this."""

    thread: int = field(default_factory=threading.get_ident)
    taken: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _stack: list[tuple[str, float]] = field(default_factory=list)
    _since: float = 0.0

    def enter(self, label: str) -> None:
        now = self._count()
        self._stack.append((label, now))

    def leave(self) -> None:
        self._count()
        self._stack.pop()

    def _count(self) -> float:
        now = time.monotonic()
        if self._stack:
            self.taken[self._stack[-1][0]] += now - self._since
        self._since = now
        return now


@contextmanager
def traced() -> Iterator[Spans]:
    """Note what the calling thread spends its time on, Python's own part included."""
    spans = Spans()
    undo: list[Callable[[], None]] = []
    for function, label in _labelled():
        undo.extend(_replace(function, _wrapped(spans, function, _part(label))))
    undo.extend(_replace(process.run, _wrapped(spans, process.run, _program)))
    undo.extend(_replace(runtime.run, _wrapped(spans, runtime.run, _runtime)))
    undo.extend(_replace(os.fsync, _wrapped(spans, os.fsync, lambda *_: SYNC)))
    spans.enter(PYTHON)
    try:
        yield spans
    finally:
        spans.leave()
        for act in undo:
            act()


def _labelled() -> Iterator[tuple[Callable[..., Any], str]]:
    for name, module in tuple(sys.modules.items()):
        for prefix, label in MODULES.items():
            if name == prefix or name.startswith(f"{prefix}."):
                yield from ((function, label) for function in _functions(module))


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    return [
        one
        for name, one in vars(module).items()
        if inspect.isfunction(one)
        and one.__module__ == module.__name__
        and not name.startswith("_")
        and not inspect.isgeneratorfunction(inspect.unwrap(one))
    ]


def _part(label: str) -> Callable[..., str]:
    """Name a part; what is done so that the runtime can run counts as the runtime's."""

    def choose(spans: Spans, *_: Any) -> str:
        outer = spans._stack[-1][0]
        inner = outer.startswith(RUNTIME) or (label == KERNEL and outer != PYTHON)
        return outer if inner else label

    return choose


def _runtime(_: Spans, state: Path, verb: str, *__: Any) -> str:
    return f"{RUNTIME} {verb}"


def _program(spans: Spans, argv: tuple[str, ...], *_: Any) -> str:
    """Name a program that is run; one that a part runs for itself counts as that part."""
    outer = spans._stack[-1][0]
    if outer != PYTHON:
        return outer
    return Path(argv[0]).name


def _wrapped(
    spans: Spans, function: Callable[..., Any], label: Callable[..., str]
) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != spans.thread:
            return function(*args, **kwargs)
        spans.enter(label(spans, *args))
        try:
            return function(*args, **kwargs)
        finally:
            spans.leave()

    return wrapper


def _replace(
    function: Callable[..., Any], wrapper: Callable[..., Any]
) -> Iterator[Callable[[], None]]:
    """Put the wrapper wherever a module of ours, or os, has the function; give the undoing."""
    for name, module in tuple(sys.modules.items()):
        if name != "os" and not name.startswith("agents."):
            continue
        for word, value in tuple(vars(module).items()):
            if value is function:
                setattr(module, word, wrapper)
                yield functools.partial(setattr, module, word, function)
