"""Streams of bytes that are counted, hashed or unpacked while they are read."""

import gzip
import hashlib
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol, cast

from agents.engines.native.images.extract import Unpacker
from agents.errors import InvalidInputError, NotSupportedError

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_FOREIGN = {
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
}
_CHUNK = 1 << 20


class Readable(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int = ..., /) -> bytes:
        """Read up to ``size`` bytes."""
        ...


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
    """Hashes what is read through it."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        data = self._source.read(size)
        self._digest.update(data)
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
    start = source.read(8)
    source.seek(0)
    return start


def decompressed(source: Readable, start: bytes) -> Readable:
    """Return the plain stream of one that begins with ``start`` and can be gzip or zstd.

    Raises ``NotSupportedError`` for other compressions.
    """
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=cast("IO[bytes]", source), mode="rb")
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


class _StrictInfo(tarfile.TarInfo):
    """A header that is damaged, or missing before the end mark, is an error.

    tarfile takes it for the end, so half of an archive would pass for the whole.
    """

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> "_StrictInfo":
        """Read the next header; see :meth:`tarfile.TarInfo.fromtarfile`."""
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as exc:
            raise tarfile.ReadError(f"it ends too early or is no tar: {exc}") from exc


def unpack(source: Readable, root: int, *, layered: bool = True) -> int:
    """Unpack a plain tar stream into the folder open at ``root``; return the files' bytes."""
    unpacker = Unpacker(root, layered=layered)
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", source), mode="r|", bufsize=_CHUNK, tarinfo=_StrictInfo
        ) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                unpacker.add(member, content)
                # Or tarfile would remember every member; the attribute is not in the stubs.
                tar.members.clear()  # type: ignore[attr-defined]
    finally:
        unpacker.close()
    return unpacker.size
