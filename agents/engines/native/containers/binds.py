"""Whether what a container wants to have mounted from the host is there, and is what was meant."""

from collections.abc import Iterable
from pathlib import Path

from agents.engines.specs import MountSpec
from agents.errors import InvalidInputError, NotFoundError, PathEscapeError
from agents.linux.failures import kernel_errors


def check_binds(mounts: Iterable[MountSpec]) -> None:
    """Check the host paths of mounts; to be asked at each start, as they may change.

    Raises:
        NotFoundError: one is not on this host.
        PathEscapeError: one leads out of the folder that it must stay in.
    """
    for mount in mounts:
        if mount.kind == "bind":
            with kernel_errors("look at", mount.source):
                _check_inside(mount)
                if not Path(mount.source).exists():
                    raise _missing(mount.source)


def check_subpath(mount: MountSpec) -> None:
    """Raise ``InvalidInputError`` for a part of a volume that cannot be one."""
    parts = mount.subpath.split("/")
    if mount.subpath and (
        mount.kind != "volume" or "" in parts or not {".", ".."}.isdisjoint(parts)
    ):
        raise InvalidInputError(
            f"the subpath {mount.subpath!r} is no path below a volume",
            hint="Give a relative path without '.' and '..', of a volume.",
            field="volumes",
        )


def _check_inside(mount: MountSpec) -> None:
    """A link in a folder that containers may write to could lead to any place of the host."""
    source, inside = Path(mount.source), Path(mount.inside or "/")
    if not mount.inside or not source.is_relative_to(inside):
        return
    below = (part for part in (source, *source.parents) if part != inside)
    for part in below:
        if part.is_relative_to(inside) and part.is_symlink():
            raise PathEscapeError(
                f"the path {mount.source} is not mounted: {part} is a symbolic link",
                hint="Containers can write there. Put a folder or file in its place, or give"
                " the volume the absolute path that the link leads to.",
                field="volumes",
                file=mount.source,
            )


def _missing(source: str) -> NotFoundError:
    return NotFoundError(
        f"the path {source} is not on this host",
        hint="Create it, or correct the path of the volume.",
        field="volumes",
        file=source,
    )
