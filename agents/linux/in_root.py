"""Opens paths below a root that is not ours, and that may change while we look.

Links are followed as a process inside would see them, by the kernel itself (openat2(2),
RESOLVE_IN_ROOT), so none leads out at any moment; those of /proc that lead anywhere are not
followed at all.
"""

import errno
import os

from agents.errors import AgentError, InvalidInputError, NotFoundError, PathEscapeError
from agents.linux import syscalls
from agents.linux.failures import kernel_error

_INSIDE = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_TRIES = 64
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_path(root: int, path: str, *, follow: bool) -> int:
    """Return a descriptor (O_PATH) of what ``path`` is below the folder open at ``root``.

    A link in its last part is followed only if ``follow``, or if the path ends with a slash.

    Raises:
        NotFoundError: it is not there.
        InvalidInputError: it goes through something that is no folder, or round in circles.
        PathEscapeError: it goes through a link of /proc that could lead anywhere.
        NotSupportedError: the kernel is older than 5.6.
    """
    flags = os.O_PATH | (0 if follow else os.O_NOFOLLOW)
    try:
        return _open(root, path, flags)
    except (OSError, ValueError) as exc:
        raise _explained(path, exc) from exc


def open_folder(root: int, path: str) -> int:
    """Return a descriptor to read a folder by, or to make things in it. Raises as above."""
    try:
        return _open(root, path, _FOLDER)
    except (OSError, ValueError) as exc:
        raise _explained(path, exc) from exc


def reopen(fd: int, flags: int) -> int:
    """Open anew what a descriptor is of, and nothing that has taken its place. Raises OSError."""
    return os.open(f"/proc/self/fd/{fd}", flags | os.O_CLOEXEC)


def _open(root: int, path: str, flags: int) -> int:
    for _ in range(_TRIES - 1):
        try:
            return syscalls.openat2(root, path, flags, _INSIDE)
        except BlockingIOError:
            # Something was renamed while the kernel walked; see openat2(2), EAGAIN.
            continue
    return syscalls.openat2(root, path, flags, _INSIDE)


def _explained(path: str, exc: OSError | ValueError) -> AgentError:
    if isinstance(exc, ValueError):
        return InvalidInputError(f"{path!r} cannot be a path", field="path")
    if exc.errno == errno.ENOENT:
        return NotFoundError(f"there is no {path} in the container")
    if exc.errno == errno.ENOTDIR:
        return InvalidInputError(f"{path} goes through something that is no folder", field="path")
    if exc.errno in (errno.ELOOP, errno.EXDEV):
        return PathEscapeError(f"{path} goes through a link that leads nowhere", field="path")
    return kernel_error("open", exc.errno or 0, exc.strerror or "", path)
