"""Volumes as containers use them: made with them, removed with them, spared for them."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from agents.engines.native.containers import leftovers
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.images.removal import remove_tree
from agents.engines.native.volumes import VolumeStore, content
from agents.engines.specs import MountSpec, VolumeSpec
from agents.errors import ConflictError
from agents.linux.failures import kernel_errors
from agents.protocol.records import PrunedVolumes, VolumeRecord


@dataclass(frozen=True, kw_only=True)
class MountedVolumes:
    """The volume for the target of each volume mount, and which of them have no name."""

    by_target: dict[str, str]
    anonymous: tuple[str, ...]


@dataclass(frozen=True)
class VolumeUse:
    """Knows both the containers and the volumes."""

    containers: ContainerStore
    volumes: VolumeStore

    @contextmanager
    def making(self, container_id: str, mounts: Iterable[MountSpec]) -> Iterator[MountedVolumes]:
        """Make the missing volumes of a new container, which is added within the block.

        Nobody removes any of them meanwhile. What was made goes again if the block fails, or
        at the next start if it never ends.
        """
        chosen = _choose(mounts)
        names = frozenset(chosen.by_target.values())
        with ExitStack() as undo, self.volumes.reserved(names):
            missing = [name for name in names if not self.volumes.has(name)]
            if missing:
                leftovers.note_volumes(self.containers.paths(container_id), missing)
                undo.callback(self._clear_half_made, container_id)
            for name in names:
                self.volumes.create(VolumeSpec(name=name, anonymous=name in chosen.anonymous))
            yield chosen
            undo.pop_all()

    def users(self, name: str) -> tuple[str, ...]:
        """Return the names of the containers that were made with a volume."""
        return tuple(one.manifest.name for one in self._users(name))

    def remove(self, name: str) -> VolumeRecord | None:
        """Remove a volume and return what it was, None if it was not there.

        See ``Engine.remove_volume`` for what is raised.
        """
        with self.volumes.lock:
            users = self.users(name)
            if users:
                raise ConflictError(f"the volume {name} is used by {', '.join(sorted(users))}")
            record = self.volumes.find_or_none(name)
            grave = self.volumes.bury(name)
        if grave is not None:
            with kernel_errors("remove the volume", grave):
                remove_tree(grave)
        return record

    def remove_container(self, container: Container) -> None:
        """Remove a container's records, and the volumes without a name that it alone has."""
        anonymous = container.manifest.anonymous
        if anonymous:
            leftovers.note_volumes(container.paths, anonymous)
            with kernel_errors("remove", container.paths.manifest):
                container.paths.manifest.unlink(missing_ok=True)
            for name in anonymous:
                if all(one is container for one in self._users(name)):
                    self.volumes.remove(name)
        self.containers.forget(container)

    def prune(
        self, *, include_named: bool, labels: Mapping[str, str] | None = None
    ) -> PrunedVolumes:
        """See ``ManagesVolumes.prune_volumes``."""
        with self.volumes.lock:
            used = {
                name for one in self.containers.list() for name in one.manifest.volumes.values()
            }
            graves = content.bury(
                self.volumes,
                [
                    note.name
                    for note in self.volumes.notes(labels)
                    if (note.anonymous or include_named) and note.name not in used
                ],
            )
        return content.clear(graves)

    def sweep(self) -> None:
        """Remove containers that are only half made or half removed; call once, at the start."""
        for container_id in self.containers.half_made():
            self._clear_half_made(container_id)

    def _clear_half_made(self, container_id: str) -> None:
        """Remove a folder without a manifest, and the volumes noted in it that nobody else has."""
        folder = self.containers.paths(container_id).state
        for name in leftovers.noted_volumes(folder):
            # Somebody else may have come to use it; then it is theirs.
            with suppress(ConflictError):
                self.remove(name)
        with kernel_errors("remove", folder):
            remove_tree(folder)

    def _users(self, name: str) -> Iterator[Container]:
        return (one for one in self.containers.list() if name in one.manifest.volumes.values())


def _choose(mounts: Iterable[MountSpec]) -> MountedVolumes:
    named = {one.target: one.source for one in mounts if one.kind == "volume"}
    by_target = {target: name or secrets.token_hex(32) for target, name in named.items()}
    anonymous = tuple(by_target[target] for target, name in named.items() if not name)
    return MountedVolumes(by_target=by_target, anonymous=anonymous)
