"""Reads ahead in a thread, so that reading, hashing and writing go on side by side.

hashlib, zlib and the calls of the kernel let other threads run meanwhile.
"""

import threading
from collections import deque
from types import TracebackType

from agents.engines.native.images.tarstream import Readable

CHUNK = 1 << 20
_MOST_CHUNKS = 8


class Ahead:
    """What ``source`` gives, read up to 8 MiB ahead. Leaving the context ends the thread.

    :meth:`read` raises what reading from the source raised.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._chunks: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._ended = False
        self._left = False
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)

    def __enter__(self) -> "Ahead":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._left = True
            self._changed.notify_all()
        self._thread.join()

    def read(self, _size: int = -1) -> bytes:
        """Return the next chunk, however long it is; b"" at the end. Blocks."""
        with self._changed:
            while not self._chunks and not self._ended:
                self._changed.wait()
            if self._chunks:
                self._changed.notify_all()
                return self._chunks.popleft()
            if self._error is not None:
                raise self._error
            return b""

    def _run(self) -> None:
        try:
            while self._put(self._source.read(CHUNK)):
                pass
        except BaseException as error:  # noqa: BLE001  (it is raised where it is read)
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, chunk: bytes) -> bool:
        """Hand on a chunk; return whether to go on."""
        with self._changed:
            while len(self._chunks) >= _MOST_CHUNKS and not self._left:
                self._changed.wait()
            if chunk and not self._left:
                self._chunks.append(chunk)
                self._changed.notify_all()
            return bool(chunk) and not self._left
