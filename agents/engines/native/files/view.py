"""The file system of a container as it sees it, running or not."""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from agents.engines.native.containers import root_file_system
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.records import ProcessMark
from agents.engines.native.containers.volume_mounts import open_source
from agents.engines.native.images.store import ImageStore
from agents.engines.native.volumes import VolumeStore
from agents.engines.specs import MountSpec
from agents.errors import ConflictError, NotFoundError
from agents.linux import credentials, in_root, mounts, namespaces, private_mounts, syscalls
from agents.linux.failures import kernel_errors
from agents.linux.idmaps import IDENTITY, IdMaps

T = TypeVar("T")

_ROOT = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def _nothing() -> None:
    """Check nothing: what does not run cannot end."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A descriptor (O_PATH) of a container's root, and how its ids are ours.

    ``check`` raises ``ConflictError`` once the container has ended.
    """

    root: int
    ids: IdMaps
    check: Callable[[], None] = field(default=_nothing)


@dataclass(frozen=True, kw_only=True)
class Views:
    """Looks into containers. Each act runs in a thread of its own, and blocks the caller."""

    images: ImageStore
    volumes: VolumeStore

    def read(self, container: Container, act: Callable[[View], T]) -> T:
        """Have ``act`` look at a container's files. It holds no lock."""
        with container.lock:
            mark = _mark(container)
        if mark is not None:
            with _running_view(container, mark) as view:
                return act(view)
        return self._stopped(container, act, change=False)

    def change(self, container: Container, act: Callable[[View], T]) -> T:
        """Have ``act`` change a container's files, in a thread whose new files are root's."""
        with container.lock:
            mark = _mark(container)
            if mark is None:
                _check_at_rest(container)
                return self._stopped(container, act, change=True)
        with _running_view(container, mark) as view:
            return namespaces.in_new_thread(lambda: _as_root(view, act), deadline=_FOREVER)

    def _stopped(self, container: Container, act: Callable[[View], T], *, change: bool) -> T:
        """Mount what a start would mount, where nobody else sees it."""
        if container.removed:
            raise NotFoundError(f"the container {container.manifest.name} was removed")
        holder = f"files-{secrets.token_hex(8)}"
        with ExitStack() as undo:
            undo.callback(self.volumes.release, holder)
            sources = [
                (mount, self._data(container, mount, holder))
                for mount in container.manifest.spec.mounts
                if mount.kind != "tmpfs"
            ]
            # Any folder would do: only our thread has the mount, over the host's own.
            folder = container.paths.state
            layers = self.images.find(container.manifest.image_id).layers

            def enter() -> T:
                _mount_root(container, layers, folder, change=change)
                with _opened(folder) as root:
                    for mount, data in sources:
                        _mount_one(root, mount, data, change=change)
                with _opened(folder) as root:
                    return act(View(root=root, ids=IDENTITY))

            return private_mounts.run_apart(enter, deadline=_FOREVER)

    def _data(self, container: Container, mount: MountSpec, holder: str) -> Path | None:
        if mount.kind != "volume":
            return None
        return self.volumes.hold(container.manifest.volumes[mount.target], holder)


_FOREVER = threading.TIMEOUT_MAX


def _mark(container: Container) -> ProcessMark | None:
    """Return the first process of one that runs."""
    return container.status.init if container.is_alive() else None


def _check_at_rest(container: Container) -> None:
    if mounts.is_mounted(container.paths.rootfs):
        raise ConflictError(
            f"the container {container.manifest.name} is just starting", hint="Try again."
        )


@contextmanager
def _running_view(container: Container, mark: ProcessMark) -> Iterator[View]:
    name = container.manifest.name

    def check() -> None:
        if not mark.is_current():
            raise ConflictError(f"the container {name} has ended meanwhile")

    with ExitStack() as stack:
        check()
        ids = IdMaps.of(mark.pid)
        root = stack.enter_context(_opened(Path(f"/proc/{mark.pid}/root")))
        # Asked again: the number cannot have meant another while we opened.
        check()
        yield View(root=root, ids=ids, check=check)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    with kernel_errors("open", path):
        fd = os.open(path, _ROOT)
    try:
        yield fd
    finally:
        os.close(fd)


def _as_root(view: View, act: Callable[[View], T]) -> T:
    uid, gid = view.ids.owner_outside(0, 0)
    credentials.own_new_files(uid, gid)
    return act(view)


def _mount_root(
    container: Container, layers: tuple[Path, ...], target: Path, *, change: bool
) -> None:
    """Mount the container's tree with the ids that are on the disk.

    Only to be read, its changes are one more layer; so it may be started meanwhile.
    """
    paths, lower = container.paths, tuple(reversed(layers))
    if change:
        root_file_system.make_changes(paths, layers)
        mounts.mount_overlay(lower, target, upper=paths.upper, work=paths.work)
        return
    changed = (paths.upper,) if paths.upper.is_dir() else ()
    mounts.mount_overlay((*changed, *lower), target)


def _mount_one(root: int, mount: MountSpec, data: Path | None, *, change: bool) -> None:
    with ExitStack() as stack:
        source = open_source(mount, data)
        stack.callback(os.close, source)
        try:
            target = in_root.open_path(root, mount.target, follow=True)
        except NotFoundError:
            if not change or not Path(f"/proc/self/fd/{source}").is_dir():
                return
            with suppress(FileExistsError), kernel_errors("make", mount.target):
                _make_folders(root, mount.target)
            target = in_root.open_path(root, mount.target, follow=True)
        stack.callback(os.close, target)
        with kernel_errors("mount", mount.target):
            flags = syscalls.MS_BIND | syscalls.MS_REC
            syscalls.mount(f"/proc/self/fd/{source}", f"/proc/self/fd/{target}", "", flags)


def _make_folders(root: int, path: str) -> None:
    """Make a mount point as the runtime does; nobody else changes the tree meanwhile."""
    made = ""
    for part in path.strip("/").split("/"):
        above = in_root.open_folder(root, made or "/")
        try:
            with suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=above)
        finally:
            os.close(above)
        made = f"{made}/{part}"
