"""Engines that copy files out of containers and into them."""

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

from agents.engines.abilities.volumes import Readable
from agents.protocol.records import PathRecord

Owner = Literal["archive", "user"]


@runtime_checkable
class CopiesFiles(Protocol):
    """An engine that reads and writes files of containers, running or not.

    Paths are of the container: links lead to where they lead there, never out of it, also
    while the container changes them. A link that ends a path is meant itself, unless
    ``follow`` or a slash (or ``/.``) after it. Volumes and binds count as the container's;
    of one that does not run those in memory (tmpfs) are not there. All methods raise
    ``NotFoundError`` for what is not there, ``InvalidInputError`` for a path through
    something that is no folder, and ``ConflictError`` while the container is just starting.
    """

    def stat_path(self, container_id: str, path: str, *, follow: bool = False) -> PathRecord:
        """Return what a path is."""
        ...

    def copy_from(
        self,
        container_id: str,
        path: str,
        write: Callable[[bytes], object],
        *,
        follow: bool = False,
    ) -> PathRecord:
        """Write a tar archive of a file, or of a folder with all below it, in pieces.

        Names begin with the last part of the path; after ``/.`` (and of ``/``) with ``.``.
        Owners are the container's numbers. Sockets are left out. Blocks; ``write`` may be
        called from another thread, and what it raises is raised here.
        """
        ...

    def copy_to(
        self,
        container_id: str,
        path: str,
        source: Readable,
        *,
        replace: bool = True,
        owner: Owner = "archive",
    ) -> None:
        """Unpack a tar archive (plain, gzip, zstd) into a folder that is there.

        Without ``replace`` a folder is never put in the place of anything else, nor the other
        way round. ``owner`` "user" gives all to the container's user instead of to whom the
        archive says. Blocks, for one that does not run also its start.

        Raises:
            InvalidInputError: the archive is damaged, or wants an id that is not there.
            PathEscapeError: a member's name would leave the folder.
            ConflictError: the container ended meanwhile; some of it may be there.
            OutOfSpaceError.
        """
        ...
