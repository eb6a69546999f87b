"""The output of a program and the moment of its end, behind one descriptor to poll."""

import errno
import os
import select
import threading
from collections.abc import Mapping
from time import monotonic

from agents.engines.abilities.processes import END, Chunk, Stream

_CHUNK = 1 << 16
# What a terminal was given may arrive a moment after its program has ended: the kernel hands
# it over in the background.
_TERMINAL_REST = 0.2


class Streams:
    """Non-blocking descriptors to read from, which become this object's to close.

    One thread reads; :meth:`close` may come from any, and wakes it. Output ends with the
    program even if others still hold the pipes.
    """

    def __init__(self, sources: Mapping[int, Stream], pidfd: int, *, tty: bool) -> None:
        self._sources = dict(sources)
        self._pidfd = pidfd
        self._rest = _TERMINAL_REST if tty else 0.0
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poller = select.epoll()
        for fd in (*self._sources, pidfd, self._wake):
            self._poller.register(fd, select.EPOLLIN)
        self._lock = threading.Lock()
        self._reading = False
        self._closed = False
        self._ended = not self._sources

    def fileno(self) -> int:
        """Return a descriptor that is readable when :meth:`read` has something."""
        return self._poller.fileno()

    def read(self, timeout: float | None) -> Chunk | None:
        """See :meth:`agents.engines.abilities.processes.Session.read`."""
        with self._lock:
            if self._closed or self._ended:
                return END
            self._reading = True
        try:
            return self._read(timeout)
        finally:
            with self._lock:
                self._reading = False
                if self._closed:
                    self._release()

    def _read(self, timeout: float | None) -> Chunk | None:
        deadline = None if timeout is None else monotonic() + timeout
        while self._sources and not (self._closed or self._ended):
            left = None if deadline is None else max(0.0, deadline - monotonic())
            ready = [fd for fd, _ in self._poller.poll(left)]
            if not ready:
                return None
            chunk = self._take(ready)
            if chunk is not None:
                return chunk
            if self._pidfd in ready and not self._has_rest():
                break
        self._ended = True
        return END

    def _take(self, ready: list[int]) -> Chunk | None:
        for fd in ready:
            stream = self._sources.get(fd)
            if stream is None:
                continue
            data = _read(fd)
            if data:
                return Chunk(stream=stream, data=data)
            if data == b"":
                self._drop(fd)
        return None

    def _has_rest(self) -> bool:
        """Return whether more came, or ended, after the program did."""
        if not self._sources:
            return False
        poller = select.poll()
        for fd in self._sources:
            poller.register(fd, select.POLLIN)
        return bool(poller.poll(round(self._rest * 1000)))

    def _drop(self, fd: int) -> None:
        self._poller.unregister(fd)
        del self._sources[fd]
        os.close(fd)

    def stop(self) -> None:
        """Have the reader be told the end, now and for ever. Idempotent."""
        with self._lock:
            if not self._closed:
                self._ended = True
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Close all descriptors, now or when the reader has been woken. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._reading:
                os.eventfd_write(self._wake, 1)
            else:
                self._release()

    def _release(self) -> None:
        for fd in (*self._sources, self._pidfd, self._wake):
            os.close(fd)
        self._sources.clear()
        self._poller.close()


def _read(fd: int) -> bytes | None:
    """Return what is there, None for nothing yet, and nothing at the end."""
    try:
        return os.read(fd, _CHUNK)
    except BlockingIOError:
        return None
    except OSError as exc:
        # So a terminal says that nobody has it open any more.
        if exc.errno == errno.EIO:
            return b""
        raise
