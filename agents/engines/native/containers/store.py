"""All containers of the engine, by id and by name."""

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from agents.engines.names import check_container_name
from agents.engines.native.containers import conmon
from agents.engines.native.containers.container import Container, Publish
from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.containers.paths import CONTAINERS, ContainerPaths
from agents.engines.native.containers.records import Manifest, Status
from agents.engines.native.images.removal import remove_tree
from agents.errors import AgentError, ConflictError, NotFoundError
from agents.linux.failures import kernel_errors

logger = logging.getLogger(__name__)

_SHORTEST_PREFIX = 4


class ContainerStore:
    """The containers in memory and their folders. May be used from any thread."""

    def __init__(self, root: Path, run: Path, publish: Publish) -> None:
        self._root = root
        self._run = run
        self._publish = publish
        self._lock = threading.RLock()
        self._containers: dict[str, Container] = {}
        self._names: dict[str, str] = {}

    def load(self) -> None:
        """Read what is on disk, but for folders of containers that are only half there."""
        with kernel_errors("read the containers", self._root):
            folder = self._root / CONTAINERS
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for entry in sorted(folder.iterdir()):
                self._load_one(entry)

    def _load_one(self, entry: Path) -> None:
        paths = self.paths(entry.name)
        if not paths.manifest.exists():
            return
        try:
            manifest = msgspec.json.decode(paths.manifest.read_bytes(), type=Manifest)
        except msgspec.DecodeError:
            logger.exception("the record %s cannot be read; its container is left out", entry)
            return
        container = Container(manifest, _load_status(paths), paths, self._publish)
        self._containers[manifest.id] = container
        self._names[manifest.name] = manifest.id

    def paths(self, container_id: str) -> ContainerPaths:
        """Return where a container's files are."""
        return ContainerPaths.of(self._root, self._run, container_id)

    def half_made(self) -> tuple[str, ...]:
        """Return the ids of folders without a manifest, left by a creation or a removal."""
        folder = self._root / CONTAINERS
        with kernel_errors("read the containers", folder):
            names = [one.name for one in folder.iterdir()]
        return tuple(name for name in names if not self.paths(name).manifest.exists())

    def stray_ids(self) -> tuple[str, ...]:
        """Return the ids of run folders that belong to no container."""
        folder = self._run / CONTAINERS
        if not folder.is_dir():
            return ()
        return tuple(one.name for one in folder.iterdir() if one.name not in self._containers)

    def add(self, manifest: Manifest) -> Container:
        """Write a new container's records and tell everybody.

        Raises:
            ConflictError: the name is taken.
        """
        with self._lock:
            self._check_name(manifest.name)
            self._names[manifest.name] = manifest.id
        paths = self.paths(manifest.id)
        container = Container(manifest, Status(), paths, self._publish)
        try:
            with kernel_errors("make the container's folder", paths.state):
                paths.state.mkdir(mode=0o700, exist_ok=True)
            write_atomic(paths.log, b"", sync=False)
            # The manifest comes last: a folder with one is a whole container.
            container.save_manifest(manifest)
            with self._lock:
                self._containers[manifest.id] = container
            container.update(container.status)
        except BaseException:
            self.forget(container)
            raise
        return container

    def forget(self, container: Container) -> None:
        """Remove a container's folder and free its name. Idempotent."""
        paths = container.paths
        with kernel_errors("remove", paths.state):
            # Without its manifest the rest is removed at the next start, should we stop here.
            paths.manifest.unlink(missing_ok=True)
            remove_tree(paths.state)
            conmon.forget_exit(container.id, paths)
        with self._lock:
            self._containers.pop(container.id, None)
            if self._names.get(container.manifest.name) == container.id:
                del self._names[container.manifest.name]

    def rename(self, container: Container, name: str) -> None:
        """Give a container another name.

        Raises ``ConflictError``, ``InvalidInputError``, ``NotFoundError`` (removed meanwhile).
        """
        with container.lock:
            old = container.manifest.name
            if container.removed:
                raise NotFoundError(f"the container {old} was removed")
            with self._lock:
                if old == name:
                    return
                self._check_name(name)
                self._names[name] = container.id
            try:
                container.save_manifest(_renamed(container.manifest, name))
            except AgentError:
                with self._lock:
                    del self._names[name]
                raise
            with self._lock:
                del self._names[old]
            container.update(container.status)

    def find(self, name_or_id: str) -> Container:
        """Return a container by name, id or unique beginning of the id.

        Raises:
            NotFoundError: there is none.
            ConflictError: the beginning fits several.
        """
        with self._lock:
            known = self._names.get(name_or_id, name_or_id)
            if known in self._containers:
                return self._containers[known]
            long_enough = len(name_or_id) >= _SHORTEST_PREFIX
            found = [one for one in self._containers if one.startswith(name_or_id) and long_enough]
            if len(found) > 1:
                raise ConflictError(f"{name_or_id} is the beginning of {len(found)} ids")
            if found:
                return self._containers[found[0]]
        raise NotFoundError(f"there is no container {name_or_id}")

    def find_or_none(self, name_or_id: str) -> Container | None:
        """Return a container as :meth:`find` does, None if there is none."""
        try:
            return self.find(name_or_id)
        except NotFoundError:
            return None

    def named(self, name: str) -> Container | None:
        """Return the container of a name, None if there is none."""
        with self._lock:
            return self._containers.get(self._names.get(name, ""))

    def list(self, labels: Mapping[str, str] | None = None) -> Iterator[Container]:
        """Return the containers that bear all of ``labels``, oldest first."""
        wanted = (labels or {}).items()
        with self._lock:
            containers = sorted(self._containers.values(), key=lambda c: c.manifest.created_at)
        return (one for one in containers if wanted <= one.manifest.spec.labels.items())

    def _check_name(self, name: str) -> None:
        check_container_name(name)
        if name in self._names:
            raise ConflictError(
                f"the name {name} is taken by the container {self._names[name][:12]}",
                hint="Remove or rename that container.",
                field="container_name",
            )


def _renamed(manifest: Manifest, name: str) -> Manifest:
    """Return the manifest as if the container had been made under this name."""
    return msgspec.structs.replace(
        manifest,
        name=name,
        asked=replace(manifest.asked, name=name),
        spec=replace(manifest.spec, name=name),
    )


def _load_status(paths: ContainerPaths) -> Status:
    """Return the status on disk; one that a power cut spoilt is taken as ended."""
    try:
        return msgspec.json.decode(paths.status.read_bytes(), type=Status)
    except FileNotFoundError:
        return Status()
    except (OSError, msgspec.DecodeError):
        logger.warning("the status %s was lost", paths.status)
        return Status(state="exited", exit_code=255, error="its state was lost")
