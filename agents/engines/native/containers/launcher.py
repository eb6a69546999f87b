"""Brings one container up and takes it down, step by step, each step with its undo."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native import runtime, runtime_state
from agents.engines.native.containers import conmon, root_file_system
from agents.engines.native.containers.binds import check_binds
from agents.engines.native.containers.bundle import (
    Surroundings,
    plan_bundle,
    write_bundle,
    write_etc,
)
from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.connect import connect, disconnect, reserve
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.filters import FilterCache
from agents.engines.native.containers.host_places import attached, find_places
from agents.engines.native.containers.modes import joined
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.containers.plugging import reconcile
from agents.engines.native.containers.records import ProcessMark
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.containers.volume_mounts import VolumeMounts
from agents.engines.native.images.store import ImageStore
from agents.engines.native.limits.oom_score import confine_process
from agents.engines.native.network import Attachment, Networks
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.types import Config
from agents.engines.native.volumes import VolumeStore
from agents.linux import process
from agents.linux.failures import kernel_errors
from agents.linux.userns import user_namespace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Launched:
    """A container that runs."""

    monitor: ProcessMark | None
    init: ProcessMark | None
    attachment: Attachment


class Launcher:
    """Knows how, not when: decides nothing, remembers nothing. Callers hold the lock."""

    def __init__(
        self,
        *,
        root: Path,
        run: Path,
        cgroups: ContainerCgroups,
        containers: ContainerStore,
        images: ImageStore,
        volumes: VolumeStore,
        networks: Networks,
    ) -> None:
        self._run_folder = run
        self._filters = FilterCache(root)
        self._runtime_state = run / "runtime"
        self._cgroups = cgroups
        self._containers = containers
        self._images = images
        self._volume_mounts = VolumeMounts(run / "mounts", volumes)
        self._networks = networks

    @property
    def runtime_state(self) -> Path:
        """Return the folder where the runtime keeps its own state."""
        return self._runtime_state

    def launch(self, container: Container) -> Launched:
        """Start the container; what a former start left is used or replaced.

        Blocks until its first process runs. When it fails nothing is left.

        Raises:
            ConflictError: a published port is taken; a container whose namespaces it shares
                does not run.
            InvalidInputError: the command or user is not in the image.
            NotFoundError: a bind source, device or the image is gone.
            PathEscapeError: a bind source leads out of where it must stay.
            NotSupportedError, ProgramError, KernelError, OutOfSpaceError.
        """
        with self._cgroups.in_use(), ExitStack() as undo:
            undo.callback(self.release, container.id, container.paths)
            check_binds(container.manifest.spec.mounts)
            image = self._images.find(container.manifest.image_id)
            attachment = reserve(container, self._networks)
            write_etc(container.manifest, container.paths, attachment)
            with self._prepared(container, image.layers) as places:
                around = Surroundings(image=image.config, places=places)
                config = plan_bundle(container.manifest, container.paths, around)
                launched = self._run(container, self._filters.apply(config), attachment)
            self._volume_mounts.unstage(container.id)
            undo.pop_all()
        return launched

    def _run(self, container: Container, config: Config, attachment: Attachment) -> Launched:
        write_bundle(config, container.paths)
        container.log.end_last_line()
        conmon.forget_exit(container.id, container.paths)
        streams = conmon.stream_options(container.manifest.spec)
        pids = conmon.create(container.id, container.paths, self._runtime_state, streams)
        self._filters.learn(config, self._runtime_state / container.id)
        # Taken before the program runs: it may end at once.
        monitor, init = ProcessMark.of(pids.monitor), ProcessMark.of(pids.init)
        self._cgroups.confine(container.id, container.manifest.spec.limits, pids.init)
        confine_process(container.manifest.spec, pids.init)
        connect(container, pids.init, self._networks)
        runtime_state.start(self._runtime_state, container.id)
        return Launched(monitor=monitor, init=init, attachment=attachment)

    @contextmanager
    def _prepared(self, container: Container, layers: tuple[Path, ...]) -> Iterator[Places]:
        """Mount the root file system and find everything else that the container needs."""
        with ExitStack() as stack:
            base = container.manifest.id_base
            users = stack.enter_context(user_namespace(base)) if base else None
            root_file_system.mount(container, layers, self._run_folder, users)
            root_file_system.mount_shared_memory(container)
            places = find_places(
                container,
                self._containers,
                cgroup=self._cgroups.path(container.id),
                volumes=self._volume_mounts.prepare(container),
                joined=stack.enter_context(joined(container.manifest.spec, self._containers)),
                users=users,
            )
            yield stack.enter_context(attached(places, users, container.paths.passage))

    def reconcile(self, container: Container) -> None:
        """Finish or undo what was being done to the places of a running container."""
        reconcile(container, self._networks)

    def was_out_of_memory(self, container_id: str) -> bool:
        """Return whether the kernel killed a process of it for want of memory.

        Known until the runtime's part is released.
        """
        return self._cgroups.was_out_of_memory(container_id)

    def thaw(self, container_id: str) -> None:
        """Let all its processes go on. Idempotent."""
        self._cgroups.thaw(container_id)

    def is_frozen(self, container_id: str) -> bool:
        """Return whether the kernel holds them still."""
        return self._cgroups.is_frozen(container_id)

    def release_runtime(self, container_id: str) -> None:
        """Remove what the runtime holds of a container, and end what may still run.

        Its file system and network stay for another launch. Idempotent.
        """
        if self._cgroups.is_frozen(container_id):
            # What is frozen does not die of SIGKILL (v1's freezer).
            self._cgroups.thaw(container_id)
        if not self._forget(container_id):
            done = runtime.run(self._runtime_state, "delete", "--force", container_id, check=False)
            if done.exit_code != 0:
                failure = process.failure(done)
                logger.warning("container %s is not deleted: %s", container_id, failure)
            # Cut off in the middle, it leaves what it does not know of any more.
            self._cgroups.clear(container_id)
            runtime_state.forget(self._runtime_state, container_id)
        self._cgroups.leave(container_id)

    def _forget(self, container_id: str) -> bool:
        """Do what the runtime's "delete" does, if all has ended; return whether it was done."""
        ended = runtime_state.has_ended(self._runtime_state, container_id)
        if not ended or not self._cgroups.remove(container_id):
            return False
        runtime_state.forget(self._runtime_state, container_id)
        return True

    def release(self, container_id: str, paths: ContainerPaths) -> None:
        """Take down all that :meth:`launch` brought up. Idempotent."""
        self.release_runtime(container_id)
        conmon.await_end(container_id, paths)
        disconnect(container_id, paths.network, self._networks)
        self._volume_mounts.release(container_id)
        root_file_system.unmount(paths)
        with kernel_errors("remove", paths.run):
            if paths.run.exists():
                shutil.rmtree(paths.run)
        self._cgroups.tidy()
