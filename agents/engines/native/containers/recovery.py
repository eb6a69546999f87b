"""Takes up the containers after the agent, or the machine, was away."""

import logging
from pathlib import Path

import msgspec

from agents.engines import restart
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.containers.launcher import Launcher
from agents.engines.native.containers.lifecycle import UNKNOWN_EXIT, Lifecycle
from agents.engines.native.containers.records import boot_id
from agents.engines.native.containers.store import ContainerStore
from agents.errors import AgentError
from agents.linux import process
from agents.protocol.records import ContainerState

logger = logging.getLogger(__name__)

BOOT_FILE = "boot"


class Recovery:
    """What an engine does with its containers once, at its start."""

    def __init__(
        self, root: Path, store: ContainerStore, launcher: Launcher, lifecycle: Lifecycle
    ) -> None:
        self._boot_file = root / BOOT_FILE
        self._store = store
        self._launcher = launcher
        self._lifecycle = lifecycle

    def run(self) -> None:
        """Adopt what runs, settle what ended, start what should run, remove what strayed.

        Starts happen after it, in the supervisor's threads. One container's trouble does
        not keep the others from being taken up.
        """
        rebooted = self._note_boot()
        for container_id in self._store.stray_ids():
            self._launcher.release(container_id, self._store.paths(container_id))
        for container in self._store.list():
            try:
                self._take_up(container, rebooted=rebooted)
            except AgentError:
                logger.exception("container %s cannot be taken up", container.id)

    def _note_boot(self) -> bool:
        """Return whether the machine was started anew since the last time."""
        try:
            before = self._boot_file.read_text()
        except FileNotFoundError:
            before = ""
        write_atomic(self._boot_file, boot_id().encode(), sync=True)
        return before not in ("", boot_id())

    def _take_up(self, container: Container, *, rebooted: bool) -> None:
        with container.lock:
            state = container.status.state
            if container.is_alive():
                self._take_up_running(container)
            elif state == "starting":
                self._undo_start(container)
            elif state == "restarting":
                self._lifecycle.resume(container)
            elif rebooted:
                self._start_after_boot(container)

    def _take_up_running(self, container: Container) -> None:
        monitor = container.status.monitor
        if monitor is not None and monitor.is_current() and process.is_running(monitor.pid):
            self._go_on(container)
        elif monitor is None or monitor.boot_id == boot_id():
            self._lifecycle.settle(container)
        else:
            self._end_with_machine(container)

    def _go_on(self, container: Container) -> None:
        # Whoever was waiting for the end of a stopping one is gone, and asks again if it still
        # matters. One that is held still, and not because a person wanted it, goes on.
        frozen = self._launcher.is_frozen(container.id)
        if frozen and container.status.state != "paused":
            self._launcher.thaw(container.id)
            frozen = False
        now: ContainerState = "paused" if frozen else "running"
        if container.status.state != now:
            container.update(msgspec.structs.replace(container.status, state=now))
        self._lifecycle.adopt(container)
        self._launcher.reconcile(container)

    def _end_with_machine(self, container: Container) -> None:
        status = msgspec.structs.replace(
            container.status, exit_code=UNKNOWN_EXIT, error="the host went down while it ran"
        )
        self._lifecycle.end(container, status)
        self._start_after_boot(container)

    def _undo_start(self, container: Container) -> None:
        """Take down a start that the agent's end cut off; it is done again if a policy wants."""
        status = msgspec.structs.replace(
            container.status, error="the agent ended while it was starting"
        )
        self._lifecycle.end(container, status)
        policy = container.manifest.spec.restart
        if restart.should_run_at_start(policy, stop_requested=status.stop_requested):
            self._lifecycle.resume(container)

    def _start_after_boot(self, container: Container) -> None:
        policy = container.manifest.spec.restart
        status = container.status
        # As with Docker, "always" means that a new start of the machine forgets a stop.
        stopped = status.stop_requested and policy.name != "always"
        ran = status.started_at is not None
        if ran and restart.should_run_at_start(policy, stop_requested=stopped):
            self._lifecycle.resume(container)
