"""Members as the standard library reads them, for those who unpack with it."""

import shutil
from tarfile import TarInfo
from typing import IO

from agents.engines.native.images.tarheader import KINDS, XATTR_KEY, TarEntry
from agents.errors import InvalidInputError

_CHUNK = 1 << 20


def entry_of(info: TarInfo) -> TarEntry:
    """Return a member as :class:`Unpacker` takes it. Raises ``InvalidInputError``."""
    kind = "folder" if info.isdir() else KINDS.get(info.type)
    if kind is None:
        raise InvalidInputError(f"The archive's member {info.name!r} is of an unknown kind.")
    return TarEntry(
        name=info.name,
        kind=kind,
        mode=info.mode & 0o7777,
        uid=info.uid,
        gid=info.gid,
        size=info.size,
        mtime=max(0, int(info.mtime * 1_000_000_000)),
        target=info.linkname,
        device=(info.devmajor, info.devminor) if info.isdev() else (0, 0),
        attributes={
            key.removeprefix(XATTR_KEY): value.encode("utf-8", "surrogateescape")
            for key, value in info.pax_headers.items()
            if key.startswith(XATTR_KEY)
        },
        real_size=info.size,
    )


class FileContent:
    """The content of one member, as ``TarFile.extractfile`` gives it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def copy_to(self, _entry: TarEntry, fd: int) -> None:
        """Write it all to an open file."""
        with open(fd, "wb", buffering=0, closefd=False) as out:
            shutil.copyfileobj(self._file, out, _CHUNK)
