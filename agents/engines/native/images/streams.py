"""Streams of bytes that are counted, hashed or unpacked while they are read."""

import gzip
import hashlib
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from agents.engines.native.images.inflate import GzipReader
from agents.engines.native.images.tarstream import Readable as Readable
from agents.errors import InvalidInputError, NotSupportedError

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_FOREIGN = {
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
}
_CHUNK = 1 << 20
_MAGIC = 8


class ZstdReader:
    """The plain content of a zstd stream, which may have several frames.

    It takes as much memory as the stream's window, at most 128 MiB (the library's own bound).
    """

    def __init__(self, source: Readable) -> None:
        # Loaded only when there is such a stream: it is the library's size in memory.
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        self._error = zstd.ZstdError
        self._file = zstd.ZstdFile(cast("IO[bytes]", source), "rb")

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes. Raises ``InvalidInputError``."""
        try:
            return self._file.read(size)
        except self._error as exc:
            raise InvalidInputError(f"A zstd stream is damaged: {exc}.") from exc


class HashingReader:
    """Hashes what is read through it, and counts its bytes."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        data = self._source.read(size)
        self._digest.update(data)
        self.count += len(data)
        return data

    def drain(self) -> None:
        """Read what is left."""
        while self.read(_CHUNK):
            pass

    def digest(self) -> str:
        """Return the digest of all that was read."""
        return f"sha256:{self._digest.hexdigest()}"


def peek(source: IO[bytes]) -> bytes:
    """Return how a seekable stream begins, and stay at its beginning."""
    start = source.read(_MAGIC)
    source.seek(0)
    return start


class Peeked:
    """A stream that cannot go back, of which the ``beginning`` is known."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.beginning = b""
        while len(self.beginning) < _MAGIC and (more := source.read(_MAGIC - len(self.beginning))):
            self.beginning += more
        self._left = self.beginning

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        if not self._left:
            return self._source.read(size)
        data = self._left if size < 0 else self._left[:size]
        self._left = self._left[len(data) :]
        return data


def decompressed(source: Readable, start: bytes) -> Readable:
    """Return the plain stream of one that begins with ``start`` and can be gzip or zstd.

    Raises ``NotSupportedError`` for other compressions.
    """
    if start.startswith(GZIP):
        return GzipReader(source)
    if start.startswith(ZSTD):
        return ZstdReader(source)
    for magic, name in _FOREIGN.items():
        if start.startswith(magic):
            raise NotSupportedError(
                f"The archive is compressed with {name}, which is not supported.",
                hint="Use gzip, zstd, or no compression.",
            )
    return source


@contextmanager
def archive_errors(what: str) -> Iterator[None]:
    """Turn what tar and gzip say of a damaged archive into ``InvalidInputError``."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise InvalidInputError(f"{what} is damaged: {exc}.") from exc
