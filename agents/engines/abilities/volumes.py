"""What an engine may be able to do with volumes, beside making and removing them."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from agents.protocol.records import PrunedVolumes, VolumeDetails


class Readable(Protocol):
    """Anything that bytes can be read from, such as a file, a pipe or a response."""

    def read(self, size: int = ..., /) -> bytes:
        """Read up to ``size`` bytes; none at the end."""
        ...


@runtime_checkable
class ManagesVolumes(Protocol):
    """An engine that tells what volumes are, take and hold, and clears away what nobody uses."""

    def inspect_volume(self, name: str) -> VolumeDetails:
        """Return all that is known of a volume. Raises ``NotFoundError``."""
        ...

    def prune_volumes(
        self, *, include_named: bool = False, labels: Mapping[str, str] | None = None
    ) -> PrunedVolumes:
        """Remove the volumes with all of ``labels`` that no container has, running or not.

        Those that a person gave a name to stay unless ``include_named``. Blocks while the
        disk gives the bytes back.
        """
        ...

    def volume_sizes(self) -> dict[str, int]:
        """Return the bytes on this host's disk for each volume, by name.

        Counts blocks, and a file of several names once. Volumes whose content is elsewhere
        are left out. Blocks for about a second for each million files.
        """
        ...


@runtime_checkable
class ArchivesVolumes(Protocol):
    """An engine that writes volumes to archives, and replaces them by archives."""

    def export_volume(
        self, name: str, write: Callable[[bytes], object], *, compress: bool = False
    ) -> None:
        """Write a tar archive of a volume in pieces, with gzip if ``compress``.

        It has owners by number, modes, times, links, devices, extended attributes and holes;
        no sockets. Files that are written to meanwhile are as they were when they were read.
        Blocks. Raises ``NotFoundError``, and whatever ``write`` does.
        """
        ...

    def import_volume(self, name: str, source: Readable) -> int:
        """Put what a tar archive holds in the place of a volume's content, all of it or nothing.

        gzip is seen by itself. Returns the bytes of the archive's files. Blocks.

        Raises:
            NotFoundError: there is no such volume.
            ConflictError: a running container has it mounted.
            InvalidInputError, PathEscapeError: the archive is damaged or hostile.
            NotSupportedError: the volume's content is elsewhere, by its options.
            OutOfSpaceError: it does not fit.
        """
        ...
