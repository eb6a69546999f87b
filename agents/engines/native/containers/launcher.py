"""Brings one container up and takes it down, step by step, each step with its undo."""

import logging
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native import runtime
from agents.engines.native.containers import conmon
from agents.engines.native.containers.binds import check_binds
from agents.engines.native.containers.bundle import Surroundings, write_bundle
from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.connect import connect, disconnect
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.containers.records import ProcessMark
from agents.engines.native.containers.volume_mounts import VolumeMounts
from agents.engines.native.images.store import ImageStore
from agents.engines.native.limits.oom_score import confine_process
from agents.engines.native.network import Attachment, Networks
from agents.engines.native.volumes import VolumeStore
from agents.linux import mounts, process
from agents.linux.failures import kernel_errors

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
        run: Path,
        cgroups: ContainerCgroups,
        images: ImageStore,
        volumes: VolumeStore,
        networks: Networks,
    ) -> None:
        self._runtime_state = run / "runtime"
        self._cgroups = cgroups
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
            ConflictError: a published port is taken.
            InvalidInputError: the command or user is not in the image.
            NotFoundError: a bind source or the image is gone.
            PathEscapeError: a bind source leads out of where it must stay.
            NotSupportedError, ProgramError, KernelError, OutOfSpaceError.
        """
        with self._cgroups.in_use(), ExitStack() as undo:
            undo.callback(self.release, container.id, container.paths)
            check_binds(container.manifest.spec.mounts)
            image = self._images.find(container.manifest.image_id)
            self._mount(image.layers, container.paths)
            attachment = connect(container, self._networks)
            around = Surroundings(
                image=image.config,
                attachment=attachment,
                volumes=self._volume_mounts.prepare(container),
                cgroup=self._cgroups.path(container.id),
            )
            write_bundle(container.manifest, container.paths, around)
            launched = self._run(container, attachment)
            self._volume_mounts.unstage(container.id)
            undo.pop_all()
        return launched

    def _run(self, container: Container, attachment: Attachment) -> Launched:
        container.log.end_last_line()
        conmon.forget_exit(container.id, container.paths)
        pids = conmon.create(container.id, container.paths, self._runtime_state)
        # Taken before the program runs: it may end at once.
        monitor, init = ProcessMark.of(pids.monitor), ProcessMark.of(pids.init)
        self._cgroups.confine(container.id, container.manifest.spec.limits, pids.init)
        confine_process(container.manifest.spec, pids.init)
        runtime.run(self._runtime_state, "start", container.id)
        return Launched(monitor=monitor, init=init, attachment=attachment)

    def _mount(self, layers: tuple[Path, ...], paths: ContainerPaths) -> None:
        if mounts.is_mounted(paths.rootfs):
            return
        with kernel_errors("make the folders of", paths.state):
            for folder in (paths.upper, paths.work, paths.rootfs):
                folder.mkdir(exist_ok=True)
                # The upper folder's mode is that of the container's "/", whatever our umask.
                folder.chmod(0o755)
        mounts.mount_overlay(
            tuple(reversed(layers)), paths.rootfs, upper=paths.upper, work=paths.work
        )

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
        done = runtime.run(self._runtime_state, "delete", "--force", container_id, check=False)
        if done.exit_code != 0:
            logger.warning("container %s is not deleted: %s", container_id, process.failure(done))
        self._cgroups.leave(container_id)

    def release(self, container_id: str, paths: ContainerPaths) -> None:
        """Take down all that :meth:`launch` brought up. Idempotent."""
        self.release_runtime(container_id)
        conmon.await_end(container_id, paths)
        disconnect(container_id, paths.network, self._networks)
        self._volume_mounts.release(container_id)
        mounts.unmount(paths.rootfs)
        with kernel_errors("remove", paths.run):
            if paths.run.exists():
                shutil.rmtree(paths.run)
        self._cgroups.tidy()
