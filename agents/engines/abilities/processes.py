"""Engines that run further programs in containers, attach to them, and tell what runs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, Protocol, Self, runtime_checkable

from agents.engines.specs import ExecSpec, TerminalSize
from agents.protocol.records import ExecRecord, ProcessRecord

Stream = Literal["stdout", "stderr"]
DETACH_KEYS = "ctrl-p,ctrl-q"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Bytes that a program wrote; empty at the end of all that it writes."""

    stream: Stream
    data: bytes

    @property
    def is_end(self) -> bool:
        """Return whether nothing comes after it."""
        return not self.data


END = Chunk(stream="stdout", data=b"")


class Session(ABC):
    """The streams of one program and its end, to be closed by whoever asked for it.

    One thread reads; everything else may be called from any thread. With a terminal all
    output is ``stdout``. Used in a ``with`` block it is closed at its end.
    """

    id: str
    tty: bool

    @abstractmethod
    def fileno(self) -> int:
        """Return a file descriptor to poll: readable when :meth:`read` has something."""

    @abstractmethod
    def read(self, timeout: float | None = 0.0) -> Chunk | None:
        """Return what the program wrote next; None when ``timeout`` seconds brought nothing.

        At the end of all output, after detaching and after closing it is :data:`END`.
        """

    @abstractmethod
    def write(self, data: bytes, timeout: float | None = None) -> bool:
        """Give the program input; return False when it took none within ``timeout`` seconds.

        Then the same may be written again. Raises ``InvalidInputError`` without stdin,
        ``ConflictError`` when that is closed.
        """

    @abstractmethod
    def close_stdin(self) -> None:
        """End the program's input; a terminal's cannot be ended. Idempotent."""

    @abstractmethod
    def resize(self, size: TerminalSize) -> None:
        """Change the terminal's size. Raises ``InvalidInputError`` without a terminal."""

    @abstractmethod
    def wait(self, timeout: float | None = None) -> int:
        """Block until the program has ended and return its exit code (128 + n for signal n).

        It is 127 when there is no such program, 126 when it cannot be executed; stderr says
        why. Does not read: a program that writes much waits for its reader. Raises
        ``TimedOutError``.
        """

    @abstractmethod
    def kill(self, signal: str = "SIGKILL") -> None:
        """Send the program a signal; nothing happens when it has ended."""

    @property
    @abstractmethod
    def is_detached(self) -> bool:
        """Return whether the detach keys were written; the program goes on."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the streams. Idempotent.

        A program of an exec that still runs, and was not detached from, is ended: hung up,
        and killed if that does not help. The container of an attachment goes on.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@runtime_checkable
class Executes(Protocol):
    """An engine that runs further programs in containers."""

    def start_exec(self, container_id: str, spec: ExecSpec) -> Session:
        """Start a program in a container that runs; it ends with its container at the latest.

        Raises:
            NotFoundError: there is no such container.
            ConflictError: it does not run, or is paused.
            InvalidInputError: the user is not in the container, or the command is empty.
        """
        ...

    def list_execs(self, container_id: str) -> tuple[ExecRecord, ...]:
        """Return those that run, and the last ones that have ended, oldest first."""
        ...


@runtime_checkable
class Attaches(Protocol):
    """An engine that lets people at the first program of a container."""

    def attach_container(
        self, container_id: str, *, stdin: bool = False, detach_keys: str = ""
    ) -> Session:
        """Attach to a container that runs: output from here on, and its input if it has one.

        Any number may be attached; the log is kept all the same. Who lets more than 1 MiB
        wait is cut off, so that nobody holds up the container. The session's end is that of
        the container.

        Raises:
            NotFoundError: there is no such container.
            ConflictError: it does not run.
            InvalidInputError: ``stdin``, and the container was made without one.
        """
        ...

    def resize_container(self, container_id: str, size: TerminalSize) -> None:
        """Change the size of its terminal.

        Raises ``ConflictError`` if it does not run, ``InvalidInputError`` without a terminal.
        """
        ...


@runtime_checkable
class ListsProcesses(Protocol):
    """An engine that tells what runs in a container."""

    def top_container(self, container_id: str) -> tuple[ProcessRecord, ...]:
        """Return the processes of a container, those of execs too, by their numbers.

        Raises ``NotFoundError``, and ``ConflictError`` if it does not run.
        """
        ...
