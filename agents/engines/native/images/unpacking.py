"""Unpacks layers: decompresses, verifies, writes and bounds them, all in one pass."""

import errno
import os
from contextlib import ExitStack
from dataclasses import dataclass

from agents.engines.native.images.ahead import Ahead
from agents.engines.native.images.extract import Bounds, Unpacker
from agents.engines.native.images.layers import Draft
from agents.engines.native.images.recipe import Recorder
from agents.engines.native.images.streams import HashingReader, Peeked, Readable, decompressed
from agents.engines.native.images.tarheader import TarEntry
from agents.engines.native.images.tarstream import TarStream
from agents.errors import InvalidInputError

# A stream that grows so much is made to fill the disk; below the floor nobody minds.
LARGEST_RATIO = 200
RATIO_FLOOR = 1 << 30
_BY_THE_ARCHIVE = (
    *(errno.ENAMETOOLONG, errno.EINVAL, errno.EFBIG, errno.E2BIG, errno.ERANGE),
    *(errno.EMLINK, errno.ELOOP, errno.EOVERFLOW),
)


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """A layer in its draft: ``diff_id`` is the digest of the plain tar, ``blob`` of what came.

    ``size`` counts the bytes of its files.
    """

    diff_id: str
    blob: str
    size: int


class RatioGuard:
    """Refuses a compressed stream that grows beyond all measure."""

    def __init__(self, plain: Readable, packed: HashingReader, *, floor: int) -> None:
        self._plain = plain
        self._packed = packed
        self._floor = floor
        self._given = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes. Raises ``InvalidInputError``."""
        data = self._plain.read(size)
        self._given += len(data)
        if self._given > max(self._floor, LARGEST_RATIO * self._packed.count):
            raise InvalidInputError(
                f"The archive unpacks to more than {LARGEST_RATIO} times its size,"
                " which only one made to fill the disk does."
            )
        return data


def unpack_layer(
    source: Readable, draft: Draft, *, layered: bool = True, bounds: Bounds | None = None
) -> Unpacked:
    """Unpack a tar, compressed or not, from a stream into a draft, with its recipe.

    Blocks. Raises ``InvalidInputError``, ``NotSupportedError``, ``OutOfSpaceError``, OSError.
    """
    start = Peeked(source)
    packed = HashingReader(start)
    with ExitStack() as stack:
        plain = decompressed(packed, start.beginning)
        hashed = packed
        if plain is not packed:
            guarded = RatioGuard(plain, packed, floor=RATIO_FLOOR)
            hashed = HashingReader(stack.enter_context(Ahead(guarded)))
        ahead = stack.enter_context(Ahead(hashed))
        root = os.open(draft.diff, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, root)
        recorder = Recorder(draft.path, layered=layered)
        stack.callback(recorder.close)
        size = unpack(ahead, root, layered=layered, recorder=recorder, bounds=bounds)
        recorder.finish()
    packed.drain()
    return Unpacked(diff_id=hashed.digest(), blob=packed.digest(), size=size)


def unpack(
    source: Readable,
    root: int,
    *,
    layered: bool = True,
    recorder: Recorder | None = None,
    bounds: Bounds | None = None,
) -> int:
    """Unpack a plain tar stream into the folder open at ``root``; return the files' bytes.

    A layer has a digest to tell whether it is whole; anything else must have its end mark.
    """
    unpacker = Unpacker(root, layered=layered, recorder=recorder, bounds=bounds)
    stream = TarStream(source, recorder, needs_end=not layered)
    try:
        for entry in stream:
            try:
                unpacker.add(entry, stream if entry.kind == "file" else None)
            except OSError as exc:
                raise _explained(exc, entry) from exc
    finally:
        unpacker.close()
    return unpacker.size


def _explained(error: OSError, entry: TarEntry) -> Exception:
    if error.errno not in _BY_THE_ARCHIVE:
        return error
    return InvalidInputError(
        f"The archive's member {entry.name[:200]!r} cannot be made: {error.strerror}."
    )
