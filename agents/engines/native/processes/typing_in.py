"""The input of a program: written without blocking for ever, watched for the detach keys."""

import os
import select
import threading
from time import monotonic

from agents.engines.detach_keys import DetachMatcher
from agents.errors import ConflictError, InvalidInputError

# A monitor takes no greater packet.
_PIECE = 8192


class Input:
    """A non-blocking descriptor to write to, which becomes this object's; -1 for none."""

    def __init__(self, fd: int, detach_keys: bytes) -> None:
        self._fd = fd
        self._exists = fd >= 0
        self._matcher = DetachMatcher(detach_keys)
        self._unsent = b""
        self._lock = threading.Lock()

    @property
    def is_detached(self) -> bool:
        """Return whether the detach keys were written."""
        return self._matcher.matched

    def write(self, data: bytes, timeout: float | None) -> bool:
        """See :meth:`agents.engines.abilities.processes.Session.write`."""
        if not self._exists:
            raise InvalidInputError("it was started without stdin", field="stdin")
        deadline = None if timeout is None else monotonic() + timeout
        with self._lock:
            if not self._flush(deadline):
                return False
            self._unsent = self._matcher.feed(data)
            # What is left now goes first the next time.
            self._flush(deadline)
        return True

    def close(self) -> None:
        """End the input. Idempotent; waits for a write that is under way."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1

    def _flush(self, deadline: float | None) -> bool:
        while self._unsent:
            sent = self._send(self._unsent[:_PIECE])
            self._unsent = self._unsent[sent:]
            if not sent and not self._await_room(deadline):
                return False
        return True

    def _send(self, piece: bytes) -> int:
        if self._fd < 0:
            raise ConflictError("its stdin is closed")
        try:
            return os.write(self._fd, piece)
        except BlockingIOError:
            return 0
        except OSError as exc:
            self._unsent = b""
            raise ConflictError("its stdin is closed") from exc

    def _await_room(self, deadline: float | None) -> bool:
        poller = select.poll()
        poller.register(self._fd, select.POLLOUT)
        left = None if deadline is None else max(0.0, deadline - monotonic())
        return bool(poller.poll(None if left is None else left * 1000))
