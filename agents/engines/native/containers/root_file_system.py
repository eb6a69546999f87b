"""The root file system of a container: its image's layers and its own changes as one tree."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from agents.engines.native.containers.container import Container
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.images.layers import find_root
from agents.engines.native.images.trees import TreeCopier, remove_empty
from agents.engines.native.oci.defaults import SHM_SIZE
from agents.linux import mounts
from agents.linux.failures import kernel_errors

_SHORT = 12
_NAMES = "layers"
_ATTEMPTS = 100


def mount(container: Container, layers: tuple[Path, ...], run: Path, users: int | None) -> None:
    """Mount ``layers`` (lowest first) with the container's changes on top; idempotent.

    With ``users``, a descriptor of its user namespace, ids are mapped, and what it writes has
    the same ids on the disk as what the image has. Raises KernelError, OutOfSpaceError.
    """
    paths = container.paths
    if mounts.is_mounted(paths.rootfs):
        return
    # Its changes must not be in two mounts (overlayfs.rst, "Sharing and copying layers").
    _unmount_former(paths)
    make_changes(paths, layers)
    _make_folders(paths, container.manifest.id_base)
    lower = tuple(reversed(layers))
    if users is None:
        mounts.mount_overlay(lower, paths.rootfs, upper=paths.upper, work=paths.work)
        return
    names = run / _NAMES / container.id[:_SHORT]
    mounts.mount_idmapped_overlay(lower, paths.rootfs, state=paths.state, names=names, userns=users)


def mount_shared_memory(container: Container) -> None:
    """Mount the /dev/shm that other containers may join, if there is to be one; idempotent.

    It must be the host's mount: none of another mount namespace can be bound (mount(2)).
    """
    spec, paths = container.manifest.spec, container.paths
    if spec.ipc_mode != "shareable" or mounts.is_mounted(paths.shm):
        return
    with kernel_errors("make", paths.shm):
        paths.shm.mkdir(exist_ok=True)
        mounts.mount_tmpfs(paths.shm, size=spec.shm_size or SHM_SIZE, mode=0o1777)
        base = container.manifest.id_base
        os.chown(paths.shm, base, base)


def make_changes(paths: ContainerPaths, layers: tuple[Path, ...]) -> None:
    """Make the folders that a container's own changes are kept in. Idempotent.

    "/" gets owner and mode of the image's (``layers`` are lowest first), unless there is
    something in it, and the container may have changed them.
    """
    root = find_root(layers)
    with kernel_errors("make the folders of", paths.state):
        for folder in (paths.upper, paths.work):
            folder.mkdir(exist_ok=True)
        if root is None:
            paths.upper.chmod(0o755)
        elif next(paths.upper.iterdir(), None) is None:
            TreeCopier().describe(root, paths.upper)


def _make_folders(paths: ContainerPaths, id_base: int) -> None:
    with kernel_errors("make", paths.passage):
        make_passage(paths.passage, id_base)
        paths.rootfs.mkdir(exist_ok=True)


def make_passage(passage: Path, id_base: int) -> None:
    """Make a container's folder below :func:`passages`. Idempotent. Raises OSError."""
    _make_folders_above(passage)
    if id_base:
        # Its own root may pass, and nobody else: the files behind may be setuid.
        os.chown(passage, 0, id_base)
        passage.chmod(0o710)


def _make_folders_above(passage: Path) -> None:
    """Make it and those above, which others may be removing meanwhile."""
    engine = passage.parent
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            for folder in (engine.parent, engine):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o711)
            passage.mkdir(exist_ok=True, mode=0o700)
            return
    raise FileNotFoundError(errno.ENOENT, "somebody keeps removing it", str(engine))


def _clear(passage: Path) -> None:
    """Remove what is in it; never what is mounted there, should that still be so."""
    for path in passage.iterdir():
        mounts.unmount(path)
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    passage.rmdir()


def _unmount_former(paths: ContainerPaths) -> None:
    """Unmount what the first release mounted; a container of its time may still stand on it."""
    former = paths.state / "rootfs"
    if former.exists():
        mounts.unmount(former)
        with kernel_errors("remove", former):
            former.rmdir()


def unmount(paths: ContainerPaths) -> None:
    """Undo :func:`mount`. Idempotent."""
    _unmount_former(paths)
    mounts.unmount(paths.rootfs)
    with kernel_errors("remove", paths.passage):
        if paths.passage.exists():
            _clear(paths.passage)
    # Other containers, or other engines, may be in them.
    remove_empty(paths.passage.parent, paths.passage.parent.parent)
