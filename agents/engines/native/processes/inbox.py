"""What a container wrote and an attached person has not read yet; bounded."""

import os
import select
import socket
import threading
from collections import deque
from contextlib import suppress
from time import monotonic

from agents.engines.abilities.processes import END, Chunk, Stream

CAPACITY = 1 << 20
_PACKET = 1 << 16
# conmon's own numbers for the streams (its utils.h), the first byte of each packet.
_STREAMS: dict[int, Stream] = {2: "stdout", 3: "stderr"}


class Inbox:
    """A queue from the pump to one reader, with a descriptor that tells when it has something."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._size = 0
        self._ended = False
        self._changed = threading.Condition()
        self._signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Return a descriptor that is readable while there is something, or the end."""
        return self._signal

    def put(self, chunk: Chunk) -> bool:
        """Add a chunk; return False when it is full or ended, and the chunk is not taken."""
        with self._changed:
            if self._ended or self._size + len(chunk.data) > CAPACITY:
                return False
            self._chunks.append(chunk)
            self._size += len(chunk.data)
            self._tell()
            return True

    def end(self) -> None:
        """Say that nothing comes any more. Idempotent."""
        with self._changed:
            if not self._ended:
                self._ended = True
                self._tell()

    def drop(self) -> None:
        """End it, and forget what waits."""
        with self._changed:
            self._chunks.clear()
        self.end()

    def get(self, timeout: float | None) -> Chunk | None:
        """See :meth:`agents.engines.abilities.processes.Session.read`."""
        deadline = None if timeout is None else monotonic() + timeout
        with self._changed:
            while not self._chunks and not self._ended:
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            return self._take()

    def _take(self) -> Chunk:
        if not self._chunks:
            return END
        chunk = self._chunks.popleft()
        self._size -= len(chunk.data)
        if not self._chunks and not self._ended:
            os.eventfd_read(self._signal)
        return chunk

    def _tell(self) -> None:
        self._changed.notify_all()
        os.eventfd_write(self._signal, 1)

    def close(self) -> None:
        """Close the descriptor; call once, after the end."""
        os.close(self._signal)


class Pump:
    """Empties the sockets of all attachments into their inboxes, in one thread.

    A monitor waits for each of its clients before it takes more of the container's output,
    so none may be left unread; a person who reads too slowly is cut off instead.
    """

    def __init__(self) -> None:
        self._poller = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poller.register(self._wake, select.EPOLLIN)
        self._lock = threading.Lock()
        self._inboxes: dict[int, tuple[socket.socket, Inbox]] = {}
        self._thread: threading.Thread | None = None
        self._closing = False

    def add(self, connection: socket.socket, inbox: Inbox) -> None:
        """Empty a non-blocking socket from here on, until :meth:`remove` or its end."""
        with self._lock:
            self._inboxes[connection.fileno()] = (connection, inbox)
            self._poller.register(connection, select.EPOLLIN)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="attach", daemon=True)
                self._thread.start()

    def remove(self, connection: socket.socket) -> None:
        """Leave a socket alone, and close it. Idempotent."""
        with self._lock:
            if self._inboxes.pop(connection.fileno(), None) is None:
                return
            self._poller.unregister(connection)
            with suppress(OSError):
                # The input has a copy of it, and the monitor would wait for that.
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def close(self) -> None:
        """End the thread and all attachments; containers go on. Idempotent."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            open_now = list(self._inboxes.values())
        if self._thread is not None:
            os.eventfd_write(self._wake, 1)
            self._thread.join()
        for connection, inbox in open_now:
            self.remove(connection)
            inbox.end()
        self._poller.close()
        os.close(self._wake)

    def _run(self) -> None:
        while not self._closing:
            for fd, _ in self._poller.poll():
                with self._lock:
                    found = self._inboxes.get(fd)
                    # Closing a socket takes the lock too, so its number means it still.
                    over = found is not None and not _empty(*found)
                if found is not None and over:
                    self.remove(found[0])
                    found[1].end()


def _empty(connection: socket.socket, inbox: Inbox) -> bool:
    """Take the packets that are there; return False when there will be no more."""
    with suppress(BlockingIOError):
        while True:
            try:
                packet = connection.recv(_PACKET)
            except ConnectionError:
                return False
            if not packet:
                return False
            stream = _STREAMS.get(packet[0], "stdout")
            if len(packet) > 1 and not inbox.put(Chunk(stream=stream, data=packet[1:])):
                return False
    return True
