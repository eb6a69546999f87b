"""File systems: overlay, bind and tmpfs mounts, and what is mounted.

Everything here needs CAP_SYS_ADMIN and acts in the agent's own mount namespace.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.errors import InvalidInputError
from agents.linux import syscalls
from agents.linux.failures import kernel_errors

MOUNTINFO = Path("/proc/self/mountinfo")

# mount(2) copies at most one page of options, with its closing zero.
_OPTIONS_LIMIT = os.sysconf("SC_PAGE_SIZE") - 1
_SHORT = 12
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


@contextmanager
def idmapped(path: Path, userns: int, *, read_only: bool = False) -> Iterator[int]:
    """Give a descriptor of a copy of the mount at ``path`` with its ids mapped by ``userns``.

    Attached nowhere, it goes with the descriptor and with whatever was mounted from it.

    Raises:
        NotSupportedError: the kernel is too old.
        KernelError: EINVAL where the file system cannot map ids.
    """
    with ExitStack() as stack:
        with kernel_errors("copy the mount of", path):
            fd = syscalls.open_tree(path)
        stack.callback(os.close, fd)
        more = syscalls.MOUNT_ATTR_RDONLY if read_only else 0
        with kernel_errors("map the ids of", path):
            syscalls.mount_setattr(fd, syscalls.MOUNT_ATTR_IDMAP | more, userns_fd=userns)
        yield fd


def can_idmap(path: Path, userns: int) -> bool:
    """Return whether the ids of a file or folder, and of all mounted below it, can be mapped.

    Raises KernelError when there is no telling, for want of memory or file descriptors.
    """
    with kernel_errors("map the ids of", path):
        try:
            os.close(_open_idmapped(path, userns))
        except OSError as exc:
            if exc.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise
            return False
    return True


def attach_idmapped(path: Path, target: Path, userns: int) -> None:
    """Mount a file or folder, and all that is mounted below it, on ``target``, ids mapped.

    ``target`` must be there and of the same kind. Undone by :func:`unmount`. Raises KernelError.
    """
    with kernel_errors(f"map the ids of {path} on", target):
        fd = _open_idmapped(path, userns)
        try:
            syscalls.move_mount(fd, target)
        finally:
            os.close(fd)


def _open_idmapped(path: Path, userns: int) -> int:
    flags = syscalls.OPEN_TREE_CLONE | syscalls.OPEN_TREE_CLOEXEC | syscalls.AT_RECURSIVE
    fd = syscalls.open_tree(path, flags)
    try:
        syscalls.mount_setattr(fd, syscalls.MOUNT_ATTR_IDMAP, userns_fd=userns, recursive=True)
    except OSError:
        os.close(fd)
        raise
    return fd


def mount_idmapped_overlay(
    lower: Sequence[Path],
    target: Path,
    *,
    state: Path,
    names: Path,
    userns: int,
    upper: str = "upper",
) -> None:
    """Mount ``lower`` (topmost first) on ``target``, with ids mapped by ``userns``.

    ``state`` is the folder of ``upper`` and of "work". ``names`` is a new folder, removed at
    the end: by the links in it the kernel's list of mounts (proc(5)) names each layer by
    the name of the folder that it is in, which a detached mount would not show.

    Raises as :func:`mount_overlay`; KernelError also where ids cannot be mapped.
    """
    with ExitStack() as stack:
        with kernel_errors("make", names):
            names.mkdir(parents=True, exist_ok=True, mode=0o700)
        stack.callback(shutil.rmtree, names, ignore_errors=True)

        def named(path: Path, name: str, *, read_only: bool) -> Path:
            fd = stack.enter_context(idmapped(path, userns, read_only=read_only))
            with kernel_errors("name the layer", names / name):
                (names / name).unlink(missing_ok=True)
                (names / name).symlink_to(f"/proc/self/fd/{fd}")
            return names / name

        layers = [named(path, path.parent.name[:_SHORT], read_only=True) for path in lower]
        whole = named(state, "state", read_only=False)
        mount_overlay(layers, target, upper=whole / upper, work=whole / "work")


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


def make_shared(target: Path) -> None:
    """Let mounts below ``target``, a mount, reach its copies; see mount_namespaces(7)."""
    with kernel_errors("share the mount", target):
        syscalls.mount("none", target, "", syscalls.MS_SHARED)


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
