"""Brings one blob to the disk, and lets it be read while it grows."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from urllib3.exceptions import HTTPError

from agents.engines.native.images.durable import try_lock
from agents.engines.native.images.media import Descriptor
from agents.engines.native.registry.client import Client
from agents.engines.native.registry.stopping import Stop
from agents.engines.native.registry.transport import BrokenError, Response, explain
from agents.errors import InvalidInputError, NotFoundError, RegistryError

TRIES = 6
FIRST_PAUSE = 0.2
_CHUNK = 1 << 18
_TURN_SECONDS = 0.1

Moved = Callable[[int], None]


class MismatchError(InvalidInputError):
    """A blob is not what its digest says. ``resumed``: a part of it was there before."""

    def __init__(self, digest: str, address: str, *, resumed: bool) -> None:
        super().__init__(
            f"What the registry {address} sends as {digest} does not match that digest.",
            hint="The registry or something in between is broken; tell who runs it.",
        )
        self.resumed = resumed


class Growing:
    """What readers know of a file that another thread writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._size = 0
        self._whole = False
        self._error: BaseException | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all is there, and checked."""
        return self._whole

    def grow(self, size: int) -> None:
        """Say that the first ``size`` bytes are there."""
        with self._changed:
            self._size = size
            self._changed.notify_all()

    def finish(self) -> None:
        """Say that the file is whole, and checked."""
        with self._changed:
            self._whole = True
            self._changed.notify_all()

    @contextmanager
    def failing_with_writer(self) -> Iterator[None]:
        """Make all readers fail if the block does."""
        try:
            yield
        except BaseException as exc:
            with self._changed:
                self._error = exc
                self._changed.notify_all()
            raise

    def wait_past(self, place: int) -> int:
        """Block until there is something past ``place``; return how much, 0 at the end.

        Raises the error that the writer met.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._whole or self._size > place)
            if self._error:
                raise self._error
            return self._size - place


class GrowingReader:
    """Reads a growing file from its beginning; ``moved`` hears of each step."""

    def __init__(self, path: Path, growing: Growing, moved: Moved) -> None:
        self._file = path.open("rb", buffering=0)
        self._growing = growing
        self._moved = moved
        self._place = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, as many as there are; blocks until there are some."""
        there = self._growing.wait_past(self._place)
        data = self._file.read(there if size < 0 else min(size, there))
        self._place += len(data)
        self._moved(self._place)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Download:
    """One blob, from the first of ``sources`` that gives it, into the file at ``path``.

    The file keeps what came before a failure, for the next try, call or process. Whoever
    works on it holds its lock.
    """

    def __init__(
        self, blob: Descriptor, path: Path, sources: Sequence[Client], stop: Stop, moved: Moved
    ) -> None:
        self.path = path
        self._blob = blob
        self._sources = list(sources)
        self._stop = stop
        self._moved = moved
        self._digest = hashlib.sha256()
        self._resumed = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until nobody else downloads the same blob, and keep others from it."""
        while (fd := self._take()) is None:
            self._stop.wait(_TURN_SECONDS)
        try:
            yield
        finally:
            os.close(fd)

    def run(self, growing: Growing) -> None:
        """Fetch what is missing, and check all of it. Blocks.

        Raises ``MismatchError``, ``InvalidInputError`` (it is longer than was said),
        ``NotFoundError``, ``RegistryError``, ``CancelledError``, OSError.
        """
        with self.path.open("r+b", buffering=0) as file:
            have = self._take_up(file.fileno(), growing)
            while have < self._blob.size:
                have = self._fetch(file.fileno(), have, growing)
        if f"sha256:{self._digest.hexdigest()}" != self._blob.digest:
            self.path.unlink(missing_ok=True)
            raise self._mismatch()
        growing.grow(self._blob.size)
        growing.finish()

    def _mismatch(self) -> MismatchError:
        return MismatchError(self._blob.digest, self._sources[0].address, resumed=self._resumed)

    def _take(self) -> int | None:
        """Lock the file at the path, made if it is not there; None if another holds it."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(FileNotFoundError):
            # It may have been renamed or removed by whoever held the lock before.
            if try_lock(fd) and self.path.stat().st_ino == os.fstat(fd).st_ino:
                return fd
        os.close(fd)
        return None

    def _take_up(self, fd: int, growing: Growing) -> int:
        """Hash what is there from an earlier time; return how much."""
        have = 0
        while chunk := os.pread(fd, 4 * _CHUNK, have):
            self._stop.check()
            self._digest.update(chunk)
            have += len(chunk)
            growing.grow(min(have, self._blob.size))
        if have > self._blob.size:
            os.ftruncate(fd, 0)
            self._digest, have = hashlib.sha256(), 0
        self._resumed = have > 0
        return have

    def _fetch(self, fd: int, have: int, growing: Growing) -> int:
        """Fetch from ``have`` on until the connection breaks or all is there.

        A source that gives nothing in all its tries is given up for the next one.
        """
        for tried in range(TRIES):
            try:
                with self._opened(have) as response:
                    return self._copy(response, fd, have, growing)
            except BrokenError:
                self._stop.check()
                if tried + 1 == TRIES and len(self._sources) == 1:
                    raise
                self._stop.wait(FIRST_PAUSE * 2**tried)
            except (NotFoundError, RegistryError):
                self._stop.check()
                if len(self._sources) == 1:
                    raise
                break
        del self._sources[0]
        return have

    @contextmanager
    def _opened(self, have: int) -> Iterator[Response]:
        response = self._sources[0].blob(self._blob.digest, have)
        try:
            yield response
        finally:
            response.close()

    def _copy(self, response: Response, fd: int, have: int, growing: Growing) -> int:
        """Write what comes to the file; return how much is there when the connection ends."""
        if response.status == 416:
            self.path.unlink(missing_ok=True)
            raise self._mismatch()
        before = have
        skip = have if response.status == 200 else 0
        for chunk in _chunks(response, self._sources[0].address):
            self._stop.check()
            fresh = chunk[skip:]
            skip = max(0, skip - len(chunk))
            have += len(fresh)
            if have > self._blob.size:
                raise InvalidInputError(
                    f"The registry sends more than the {self._blob.size} bytes of "
                    f"{self._blob.digest}.",
                )
            os.pwrite(fd, fresh, have - len(fresh))
            self._digest.update(fresh)
            growing.grow(have)
            self._moved(have)
        if have == before:
            raise BrokenError(f"The registry {self._sources[0].address} sends nothing.")
        return have


def _chunks(response: Response, address: str) -> Iterator[bytes]:
    """Return what comes; a broken connection is an end like any other once some came."""
    came = False
    while True:
        try:
            chunk = response.read1(_CHUNK)
        except HTTPError as exc:
            if not came:
                raise explain(exc, address) from exc
            return
        if not chunk:
            return
        came = True
        yield chunk
