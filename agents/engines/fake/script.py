"""The programs of the fake engine: a few words of the shell's language.

``sh -c SCRIPT`` with statements joined by ``;``: ``echo TEXT``, ``echo TEXT >&2``,
``sleep N``, ``sleep N & wait``, ``exit N``, ``trap 'exit N' TERM``, ``while :; do …; done``.
The words echo, write (the same), sleep and exit are also programs of their own. As with
the first process of a real container, SIGTERM without a trap does nothing.
"""

import re
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from agents.errors import InvalidInputError

Stream = Literal["stdout", "stderr"]
Write = Callable[[Stream, str], None]

_SHELLS = ("sh", "/bin/sh")
_PROGRAMS = ("echo", "write", "sleep", "exit")
_LOOPS = ("while :", "while true")
_NOT_FOUND = 127
_KILLED = 128 + signal.SIGKILL
_TRAP = re.compile(r"trap (['\"])exit (\d+)\1 TERM")


@dataclass(frozen=True)
class Loop:
    """Statements without an end."""

    body: "tuple[Statement, ...]"


Statement = str | Loop


def parse(argv: tuple[str, ...]) -> tuple[Statement, ...]:
    """Return the statements of a program.

    Raises:
        InvalidInputError: the image "has" no such program.
    """
    if argv[:2] in [(shell, "-c") for shell in _SHELLS] and len(argv) > 2:
        parts = [part.strip() for part in argv[2].split(";")]
        return tuple(_block([part for part in reversed(parts) if part]))
    if argv[0] in _PROGRAMS:
        return (" ".join(argv),)
    raise InvalidInputError(
        f"the command cannot be run: executable file `{argv[0]}` not found",
        hint="Check that the program is in the image and can be executed.",
        field="command",
    )


def _block(parts: list[str]) -> Iterator[Statement]:
    """Yield statements up to the end or ``done``; ``parts`` are in reverse."""
    while parts:
        part = parts.pop()
        if part == "done":
            return
        if part in _LOOPS:
            parts.append(parts.pop().removeprefix("do").strip())
            yield Loop(tuple(_block(parts)))
        else:
            yield part


class Ended(Exception):
    """The program has ended with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Program:
    """A running script in a thread of its own; ``on_end`` is told the exit code."""

    def __init__(
        self, statements: tuple[Statement, ...], write: Write, on_end: Callable[[int], None]
    ) -> None:
        self._statements = statements
        self._write = write
        self._on_end = on_end
        self._signalled = threading.Event()
        self._code_at_signal = _KILLED
        self._trap: int | None = None
        self._thread = threading.Thread(target=self._run, name="fake-program", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def signal(self, number: int) -> None:
        """Take a signal as a first process does: SIGKILL ends it, SIGTERM if it has a trap."""
        if number == signal.SIGKILL:
            self._signalled.set()
        elif number == signal.SIGTERM and self._trap is not None:
            self._code_at_signal = self._trap
            self._signalled.set()

    def _run(self) -> None:
        code = 0
        try:
            self._follow(self._statements)
        except Ended as end:
            code = end.code
        self._on_end(code)

    def _follow(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            if isinstance(statement, Loop):
                while True:
                    self._follow(statement.body)
            self._do(statement)

    def _do(self, statement: str) -> None:
        self._pause(0)
        word, _, rest = statement.partition(" ")
        trap = _TRAP.fullmatch(statement)
        if trap is not None:
            self._trap = int(trap[2])
        elif word in ("echo", "write"):
            self._echo(rest)
        elif word == "sleep":
            self._pause(float(rest.split()[0]))
        elif word == "exit":
            raise Ended(int(rest or 0))
        else:
            self._write("stderr", f"sh: {word}: not found")
            raise Ended(_NOT_FOUND)

    def _echo(self, rest: str) -> None:
        text = rest.removesuffix(">&2")
        stream: Stream = "stdout" if text == rest else "stderr"
        self._write(stream, " ".join(shlex.split(text)))

    def _pause(self, seconds: float) -> None:
        if self._signalled.wait(seconds):
            raise Ended(self._code_at_signal)
