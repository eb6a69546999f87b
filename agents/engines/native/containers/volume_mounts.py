"""What a container mounts of volumes and of folders that others can write to.

A path in such a place may be changed at any moment, also into a link that leads elsewhere,
between our look at it and the runtime's mount. So it is opened once, in a way that cannot
lead out (openat2(2)), and what was opened is bound to a path of ours, which the runtime gets.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.containers.container import Container
from agents.engines.native.images import scope
from agents.engines.native.volumes import VolumeStore, content
from agents.engines.specs import MountSpec
from agents.errors import AgentError, NotFoundError, PathEscapeError
from agents.linux import mounts, syscalls
from agents.linux.failures import kernel_error, kernel_errors

_INSIDE = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_PLAIN = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS
_TRIES = 16


@dataclass(frozen=True)
class VolumeMounts:
    """Prepares mounts below ``folder``, which a reboot may empty."""

    folder: Path
    volumes: VolumeStore

    def prepare(self, container: Container) -> dict[str, Path]:
        """Hold the container's volumes, fill new ones, and return the path for each target.

        The root file system is mounted. Binds that must stay inside a folder have a path
        too. :meth:`release` undoes it.

        Raises:
            NotFoundError: a volume, a subpath or the source of a bind is not there.
            PathEscapeError: a path leads out of where it must stay.
        """
        return dict(self._prepare(container))

    def _prepare(self, container: Container) -> Iterator[tuple[str, Path]]:
        for number, mount in enumerate(container.manifest.spec.mounts):
            staged = self.folder / container.id / str(number)
            if mount.kind == "volume":
                name = container.manifest.volumes[mount.target]
                data = self.volumes.hold(name, container.id)
                if not mount.no_copy and not mount.subpath:
                    source = scope.resolve(container.paths.rootfs, mount.target)
                    base = container.manifest.id_base
                    content.populate(self.volumes, name, source, container.id, base)
                yield mount.target, _stage_part(data, mount, staged)
            elif mount.kind == "bind" and _must_stay(mount):
                yield mount.target, _stage_bind(mount, staged)

    def unstage(self, container_id: str) -> None:
        """Remove the paths of ours, which the runtime needs no longer. Idempotent."""
        folder = self.folder / container_id
        with kernel_errors("remove", folder), suppress(FileNotFoundError):
            for path in folder.iterdir():
                mounts.unmount(path)
                # Never a whole tree: were it still mounted, that would be somebody's files.
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()
            folder.rmdir()

    def release(self, container_id: str) -> None:
        """Undo :meth:`prepare`; volumes that nobody else holds are unmounted. Idempotent."""
        self.unstage(container_id)
        self.volumes.release(container_id)


def _must_stay(mount: MountSpec) -> bool:
    source, inside = Path(mount.source), Path(mount.inside or "/")
    return bool(mount.inside) and source != inside and source.is_relative_to(inside)


def _stage_part(data: Path, mount: MountSpec, staged: Path) -> Path:
    return _stage(data, mount.subpath, _INSIDE, staged) if mount.subpath else data


def _stage_bind(mount: MountSpec, staged: Path) -> Path:
    inside = Path(mount.inside)
    path = str(Path(mount.source).relative_to(inside))
    return _stage(inside, path, _PLAIN, staged)


def open_source(mount: MountSpec, data: Path | None) -> int:
    """Return a descriptor (O_PATH) of what a mount shows; ``data`` is its volume's folder.

    Raises as :meth:`VolumeMounts.prepare`.
    """
    if data is not None:
        return _open_below(data, mount.subpath or ".", _INSIDE)
    if _must_stay(mount):
        inside = Path(mount.inside)
        return _open_below(inside, str(Path(mount.source).relative_to(inside)), _PLAIN)
    try:
        return os.open(mount.source, os.O_PATH | os.O_CLOEXEC)
    except OSError as exc:
        raise _cannot_open(Path(mount.source), exc) from exc


def _open_below(root: Path, path: str, resolve: int) -> int:
    with kernel_errors("open", root):
        folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _open(folder, path, resolve)
    except OSError as exc:
        raise _cannot_open(root / path, exc) from exc
    finally:
        os.close(folder)


def _stage(root: Path, path: str, resolve: int, staged: Path) -> Path:
    """Bind what ``path`` below ``root`` is at this moment to ``staged``, and return that."""
    with ExitStack() as stack:
        found = _open_below(root, path, resolve)
        stack.callback(os.close, found)
        opened = Path(f"/proc/self/fd/{found}")
        with kernel_errors("make", staged):
            staged.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            mounts.unmount(staged)
            if opened.is_dir():
                staged.mkdir(exist_ok=True)
            else:
                staged.touch()
        mounts.bind(opened, staged)
    return staged


def _open(folder: int, path: str, resolve: int) -> int:
    for _ in range(_TRIES - 1):
        try:
            return syscalls.openat2(folder, path, os.O_PATH, resolve)
        except BlockingIOError:
            # Something was renamed while the kernel walked; see openat2(2), EAGAIN.
            continue
    return syscalls.openat2(folder, path, os.O_PATH, resolve)


def _cannot_open(path: Path, exc: OSError) -> AgentError:
    if exc.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFoundError(
            f"the path {path} is not there",
            hint="Create it, or correct the path of the volume.",
            field="volumes",
            file=str(path),
        )
    if exc.errno in (errno.ELOOP, errno.EXDEV):
        return PathEscapeError(
            f"the path {path} is not mounted: a symbolic link in it leads elsewhere",
            hint="Containers can write there. Put a folder or file in its place.",
            field="volumes",
            file=str(path),
        )
    return kernel_error("open", exc.errno or 0, exc.strerror or "", path)
