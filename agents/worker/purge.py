"""Removes everything that an agent made on its host."""

from pathlib import Path

from agents import config
from agents.config import AgentConfig
from agents.engines.base import Engine
from agents.engines.native.images.removal import remove_tree
from agents.errors import ConflictError
from agents.linux import mounts
from agents.linux.failures import kernel_errors
from agents.linux.mounts import MountEntry
from agents.state.database import hold
from agents.worker.engine import open_engine

# What an engine itself mounts: images, and the handles of network namespaces.
OWN_FILE_SYSTEMS = ("overlay", "nsfs")


def purge(found: AgentConfig, path: Path) -> None:
    """Remove containers, networks, volumes, images and both folders of a stopped agent.

    ``path`` is the file of the configuration, which goes last, so that a purge that was cut
    off can be run again. Blocks for seconds; idempotent.

    Raises:
        ConflictError: the agent still runs, or something foreign is mounted in its folders;
            then nothing was removed.
        AgentError: what the engine could not remove.
    """
    with hold(found.root):
        refuse_foreign_mounts((found.root, found.run))
        engine = open_engine(found)
        engine.start()
        try:
            remove_all(engine)
        finally:
            engine.close()
        remove_folders(found, path)


def remove_all(engine: Engine) -> None:
    """Remove all that an engine holds; running containers are killed."""
    for container in engine.list_containers():
        engine.remove_container(container.id, force=True)
    for network in engine.list_networks():
        engine.remove_network(network.name)
    for volume in engine.list_volumes():
        engine.remove_volume(volume.name)
    for image in engine.list_images():
        engine.remove_image(image.id)


def refuse_foreign_mounts(folders: tuple[Path, ...]) -> None:
    """Check that nothing would be deleted through a mount that no engine made.

    Raises ConflictError. The folders themselves may be mount points.
    """
    for entry in _mounts_inside(folders):
        if entry.fstype not in OWN_FILE_SYSTEMS:
            raise ConflictError(
                f"{entry.target} is a mount of {entry.source}, which purge would empty",
                hint=f"Unmount it first: umount {entry.target}",
            )


def remove_folders(found: AgentConfig, path: Path) -> None:
    """Delete the agent's two folders, the configuration last."""
    folders = (found.root, found.run)
    refuse_foreign_mounts(folders)
    for entry in reversed(_mounts_inside(folders)):
        mounts.unmount(entry.target)
    with kernel_errors("remove", found.run):
        _empty(found.run, keep=path)
        _remove_if_empty(found.run)
    with kernel_errors("remove", found.root):
        _empty(found.root, keep=path)
        path.unlink(missing_ok=True)
        _remove_if_empty(found.root)


def _empty(folder: Path, keep: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path == keep:
            continue
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink()


def _remove_if_empty(folder: Path) -> None:
    """Remove the folder, unless it is a mount point or holds the other one."""
    if folder.is_dir() and not mounts.is_mounted(folder) and not any(folder.iterdir()):
        folder.rmdir()


def _mounts_inside(folders: tuple[Path, ...]) -> list[MountEntry]:
    resolved = [folder.resolve() for folder in folders]
    return [
        entry
        for entry in mounts.read_mounts()
        if any(folder in entry.target.parents for folder in resolved)
    ]


def find_configuration(path: Path) -> tuple[AgentConfig, Path]:
    """Return the configuration and its file, also of a host that has left its panel.

    Raises NotFoundError.
    """
    left = path.with_name(config.LEFT_NAME)
    chosen = left if left.exists() and not path.exists() else path
    return config.load(chosen), chosen
