"""Reads gzip streams in large pieces; see RFC 1952."""

import zlib

from agents.engines.native.images.tarstream import Readable
from agents.errors import InvalidInputError

_PIECE = 256 << 10
_CHUNK = 1 << 20
# zlib's flag for a gzip header and trailer, whose checksum it then looks at.
_GZIP = 16 + zlib.MAX_WBITS


class GzipReader:
    """The plain content of a gzip stream, which may have several members.

    :meth:`read` raises ``InvalidInputError`` for a damaged or cut stream.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._unpacker = zlib.decompressobj(_GZIP)
        self._begun = False

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, 1 MiB by default; b"" at the end."""
        wanted = _CHUNK if size < 0 else size
        while True:
            piece = self._next_piece()
            if not piece and not self._begun:
                return b""
            try:
                data = self._unpacker.decompress(piece, wanted)
            except zlib.error as exc:
                raise InvalidInputError(f"A gzip stream is damaged: {exc}.") from exc
            self._begun = self._begun or bool(piece)
            if data:
                return data
            if not piece and not self._unpacker.eof:
                raise InvalidInputError("A gzip stream ends too early.")

    def _next_piece(self) -> bytes:
        if not self._unpacker.eof:
            return self._unpacker.unconsumed_tail or self._source.read(_PIECE)
        # Another member may follow, after zeros that pad the one before.
        rest = self._unpacker.unused_data.lstrip(b"\0")
        while not rest and (piece := self._source.read(_PIECE)):
            rest = piece.lstrip(b"\0")
        self._unpacker, self._begun = zlib.decompressobj(_GZIP), False
        return rest
