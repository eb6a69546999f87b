"""People at the first program of a container, through its monitor's socket; see conmon(8)."""

import os
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

from agents.engines import detach_keys as keys
from agents.engines.abilities.processes import Chunk, Session
from agents.engines.native.containers.container import ENDED, Container
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.processes.execs import check_runs
from agents.engines.native.processes.inbox import Inbox, Pump
from agents.engines.native.processes.typing_in import Input
from agents.engines.specs import TerminalSize
from agents.errors import ConflictError, InvalidInputError
from agents.linux.failures import kernel_errors

Kill = Callable[[Container, str], None]
# More than that conmon does not take.
_LARGEST_SIZE = 1000
_RESIZE = 1


class AttachSession(Session):
    """See :class:`Session`; its end is that of the run of the container that it began in."""

    def __init__(
        self,
        container: Container,
        connection: socket.socket,
        pump: Pump,
        kill: Kill,
        *,
        stdin: bool,
        detach_keys: bytes,
    ) -> None:
        self.id = secrets.token_hex(16)
        self.tty = container.manifest.spec.tty
        self._container = container
        self._ends = container.ends
        self._pump = pump
        self._kill = kill
        self._connection = connection
        self._inbox = Inbox()
        self._input = Input(os.dup(connection.fileno()) if stdin else -1, detach_keys)
        self._lock = threading.Lock()
        self._closed = False
        pump.add(connection, self._inbox)

    def fileno(self) -> int:
        """See :meth:`Session.fileno`."""
        return self._inbox.fileno()

    def read(self, timeout: float | None = 0.0) -> Chunk | None:
        """See :meth:`Session.read`."""
        return self._inbox.get(timeout)

    def write(self, data: bytes, timeout: float | None = None) -> bool:
        """See :meth:`Session.write`."""
        taken = self._input.write(data, timeout)
        if self._input.is_detached:
            self._inbox.drop()
        return taken

    def close_stdin(self) -> None:
        """See :meth:`Session.close_stdin`; ends it only if the spec says ``stdin_once``."""
        if self.tty:
            return
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        self._input.close()

    def resize(self, size: TerminalSize) -> None:
        """See :meth:`Session.resize`."""
        resize(self._container, size)

    def wait(self, timeout: float | None = None) -> int:
        """See :meth:`Session.wait`."""
        container = self._container
        container.wait_until(
            lambda status: container.ends > self._ends or status.state in ENDED, timeout
        )
        return container.last_code

    def kill(self, signal: str = "SIGKILL") -> None:
        """See :meth:`Session.kill`."""
        with suppress(ConflictError):
            self._kill(self._container, signal)

    @property
    def is_detached(self) -> bool:
        """See :attr:`Session.is_detached`."""
        return self._input.is_detached

    def close(self) -> None:
        """See :meth:`Session.close`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._input.close()
        self._pump.remove(self._connection)
        self._inbox.drop()
        self._inbox.close()


def attach(
    container: Container, pump: Pump, kill: Kill, *, stdin: bool, detach_keys: str
) -> AttachSession:
    """See :meth:`agents.engines.abilities.processes.Attaches.attach_container`."""
    sequence = keys.parse(detach_keys)
    with container.lock, ExitStack() as undo:
        check_runs(container)
        if stdin and not container.manifest.spec.open_stdin:
            raise InvalidInputError(
                f"the container {container.manifest.name} was made without stdin",
                hint="Make it with an open stdin.",
                field="open_stdin",
            )
        connection = _connect(container.paths)
        undo.callback(connection.close)
        session = AttachSession(
            container, connection, pump, kill, stdin=stdin, detach_keys=sequence
        )
        undo.pop_all()
    return session


def resize(container: Container, size: TerminalSize) -> None:
    """See :meth:`agents.engines.abilities.processes.Attaches.resize_container`."""
    if not container.manifest.spec.tty:
        raise InvalidInputError("it has no terminal", field="tty")
    if not (0 < size.rows <= _LARGEST_SIZE and 0 < size.columns <= _LARGEST_SIZE):
        raise InvalidInputError(
            f"a terminal has 1 to {_LARGEST_SIZE} rows and columns", field="size"
        )
    check_runs(container)
    line = f"{_RESIZE} {size.rows} {size.columns}\n"
    with kernel_errors("resize the terminal of", container.manifest.name):
        # Without a monitor there is no reader, and this fails instead of waiting for one.
        fd = os.open(container.paths.control, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)


def _connect(paths: ContainerPaths) -> socket.socket:
    with kernel_errors("attach to", paths.attach), ExitStack() as undo:
        folder = os.open(paths.attach.parent, os.O_PATH | os.O_CLOEXEC)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        undo.callback(connection.close)
        try:
            # Any path may be longer than an address can be (unix(7)).
            connection.connect(f"/proc/self/fd/{folder}/{paths.attach.name}")
        finally:
            os.close(folder)
        connection.setblocking(False)
        undo.pop_all()
    return connection
