"""File systems: overlay, bind and tmpfs mounts, and what is mounted.

Everything here needs CAP_SYS_ADMIN and acts in the agent's own mount namespace.
"""

import errno
import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agents.errors import InvalidInputError
from agents.linux import syscalls
from agents.linux.failures import kernel_errors

MOUNTINFO = Path("/proc/self/mountinfo")

# mount(2) copies at most one page of options, with its closing zero.
_OPTIONS_LIMIT = os.sysconf("SC_PAGE_SIZE") - 1
_OCTAL = re.compile(r"\\([0-7]{3})")
_SPECIAL = re.compile(r"([\\:,])")


@dataclass(frozen=True, kw_only=True)
class MountEntry:
    """One line of /proc/self/mountinfo; see proc(5). ``root`` is the path inside the source."""

    mount_id: int
    parent_id: int
    root: str
    target: Path
    options: tuple[str, ...]
    fstype: str
    source: str
    super_options: str


def mount_overlay(
    lower: Sequence[Path],
    target: Path,
    *,
    upper: Path | None = None,
    work: Path | None = None,
) -> None:
    """Mount ``lower`` (topmost first) as one tree on ``target``.

    With ``upper`` and ``work`` (empty, beside ``upper``) it is writable, else read-only; a
    single lower without an upper is given an empty one, as overlayfs wants two. Any path
    may hold any character. Not idempotent: a second call mounts over the first.

    Raises:
        InvalidInputError: there are more layers than one mount can take (about 200).
        KernelError, OutOfSpaceError.
    """
    with ExitStack() as stack:
        layers = list(lower)
        if upper is None and len(layers) == 1:
            layers.append(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        data = overlay_options(layers, upper, work)
        if len(os.fsencode(data)) > _OPTIONS_LIMIT:
            data = overlay_options(*_as_descriptors(layers, upper, work, stack))
        if len(os.fsencode(data)) > _OPTIONS_LIMIT:
            raise InvalidInputError(f"{len(layers)} layers are more than one mount can take")
        with kernel_errors("mount an overlay on", target):
            syscalls.mount("overlay", target, "overlay", 0, data)


def overlay_options(lower: Sequence[Path], upper: Path | None, work: Path | None) -> str:
    """Return the options of an overlay mount, with the special characters of paths escaped."""
    # Off whatever the kernel's default: an upper folder becomes a layer, and must not refer
    # to another (overlayfs.rst, "Renaming directories", "Metadata only copy up").
    options = "redirect_dir=off,metacopy=off,lowerdir=" + ":".join(_escape(p) for p in lower)
    if upper is not None and work is not None:
        options += f",upperdir={_escape(upper)},workdir={_escape(work)}"
    return options


def _escape(path: Path) -> str:
    return _SPECIAL.sub(r"\\\1", os.fspath(path))


def _as_descriptors(
    lower: Sequence[Path], upper: Path | None, work: Path | None, stack: ExitStack
) -> tuple[list[Path], Path | None, Path | None]:
    """Give each folder the short name of an open descriptor, as option text is bounded."""

    def opened(path: Path) -> Path:
        with kernel_errors("open", path):
            fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, fd)
        return Path(f"/proc/self/fd/{fd}")

    return (
        [opened(path) for path in lower],
        None if upper is None else opened(upper),
        None if work is None else opened(work),
    )


def bind(source: Path, target: Path, *, read_only: bool = False, recursive: bool = True) -> None:
    """Make ``source`` appear at ``target``, which must exist and be of the same kind.

    ``read_only`` holds for the mount itself, not for mounts below it (mount(2), MS_BIND).
    Raises KernelError.
    """
    flags = syscalls.MS_BIND | (syscalls.MS_REC if recursive else 0)
    with kernel_errors(f"bind {source} to", target):
        syscalls.mount(source, target, "", flags)
    if read_only:
        _make_read_only(target)


def _make_read_only(target: Path) -> None:
    # MS_RDONLY is ignored by the first bind and must be set by a remount.
    flags = syscalls.MS_BIND | syscalls.MS_REMOUNT | syscalls.MS_RDONLY
    with ExitStack() as stack:
        stack.callback(unmount, target)
        with kernel_errors("make read-only", target):
            syscalls.mount("none", target, "", flags)
        stack.pop_all()


def mount_tmpfs(target: Path, *, size: int | None = None, mode: int = 0o755) -> None:
    """Mount an empty file system in memory; ``size`` in bytes, default half the memory."""
    options = f"mode={mode:o}" + ("" if size is None else f",size={size}")
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
    with kernel_errors("mount a tmpfs on", target):
        syscalls.mount("tmpfs", target, "tmpfs", flags, options)


def unmount(target: Path, *, lazy: bool = True) -> None:
    """Take off everything that is mounted on ``target``. Idempotent; follows no link.

    ``lazy`` hides it at once and frees it with its last user (MNT_DETACH); otherwise a
    mount in use raises KernelError with EBUSY.
    """
    flags = syscalls.UMOUNT_NOFOLLOW | (syscalls.MNT_DETACH if lazy else 0)
    with kernel_errors("unmount", target):
        while _umount_once(target, flags):
            pass


def _umount_once(target: Path, flags: int) -> bool:
    try:
        syscalls.umount2(target, flags)
    except OSError as exc:
        if exc.errno in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
            return False
        raise
    return True


def read_mounts() -> tuple[MountEntry, ...]:
    """Return all mounts of the agent's namespace in the kernel's order."""
    text = os.fsdecode(MOUNTINFO.read_bytes())
    return tuple(parse_mount(line) for line in text.splitlines())


def parse_mount(line: str) -> MountEntry:
    """Split one line of mountinfo; see proc(5)."""
    fields = line.split(" ")
    rest = fields[fields.index("-", 6) + 1 :]
    return MountEntry(
        mount_id=int(fields[0]),
        parent_id=int(fields[1]),
        root=_unescape(fields[3]),
        target=Path(_unescape(fields[4])),
        options=tuple(fields[5].split(",")),
        fstype=rest[0],
        source=_unescape(rest[1]),
        super_options=_unescape(rest[2]) if len(rest) > 2 else "",
    )


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def find_mount(target: Path) -> MountEntry | None:
    """Return what is mounted on top at ``target``, or None. Links are followed."""
    wanted = Path(os.path.realpath(target))
    found = None
    for entry in read_mounts():
        if entry.target == wanted:
            found = entry
    return found


def is_mounted(target: Path) -> bool:
    """Return whether something is mounted exactly at ``target``."""
    return find_mount(target) is not None
