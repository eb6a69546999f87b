"""When containers start and end: by a person's wish, by themselves, by their restart policy."""

import logging
import signal
import time
from collections.abc import Callable

import msgspec

from agents.engines import restart
from agents.engines.event_ring import EventRing
from agents.engines.native.containers import conmon, signalling
from agents.engines.native.containers.container import ENDED, Container
from agents.engines.native.containers.health import HealthMonitor
from agents.engines.native.containers.launcher import Launched, Launcher
from agents.engines.native.containers.log_rotation import LogRotation
from agents.engines.native.containers.records import Status
from agents.engines.native.containers.supervisor import Supervisor
from agents.engines.signals import signal_number
from agents.errors import AgentError, ConflictError, NotFoundError, TimedOutError

logger = logging.getLogger(__name__)

OnEnd = Callable[[Container], None]

# How long an end may take after SIGKILL: a process in an uninterruptible wait takes its time.
KILL_TIME = 60.0
UNKNOWN_EXIT = 255
_KILLED = 128 + signal.SIGKILL


class Lifecycle:
    """Starts, stops and restarts; the only writer of containers' states."""

    def __init__(
        self,
        launcher: Launcher,
        supervisor: Supervisor,
        health: HealthMonitor,
        logs: LogRotation,
        events: EventRing,
    ) -> None:
        self._launcher = launcher
        self._supervisor = supervisor
        self._health = health
        self._logs = logs
        self._events = events
        self._listeners: list[OnEnd] = []

    def on_end(self, listener: OnEnd) -> None:
        """Have ``listener`` called after each end that no policy follows; it must not block."""
        self._listeners.append(listener)

    def start(self, container: Container) -> None:
        """Start a container; one that runs is left alone. See ``Engine.start_container``."""
        with container.lock:
            if container.status.state == "stopping":
                container.wait_until(lambda status: status.state != "stopping", KILL_TIME)
            _check_present(container)
            if container.status.state == "paused":
                raise ConflictError(
                    f"the container {container.manifest.name} is paused", hint="Unpause it."
                )
            if not container.is_alive():
                container.failures = 0
                self._launch(container, restart_count=0)

    def _launch(self, container: Container, *, restart_count: int) -> None:
        before = container.status
        container.run += 1
        container.update(msgspec.structs.replace(before, state="starting"))
        try:
            launched = self._launcher.launch(container)
        except BaseException:
            container.update(before)
            raise
        container.update(_running(container, launched, restart_count))
        self._events.container(container.record, "start")
        self._health.begin(container)
        self._watch(container)

    def adopt(self, container: Container) -> None:
        """Take up a container that ran on while no agent was there."""
        self._health.adopt(container)
        self._watch(container)

    def _watch(self, container: Container) -> None:
        """Follow a running container to its end."""
        self._logs.watch(container)
        run = container.run
        monitor = container.status.monitor
        if monitor is None:
            self._supervisor.soon(lambda: self._ended(container, run))
        else:
            self._supervisor.on_end(monitor.pid, lambda: self._ended(container, run))

    def _ended(self, container: Container, run: int) -> None:
        with container.lock:
            if container.run == run and container.is_alive():
                self.settle(container)

    def settle(self, container: Container) -> None:
        """Note the end of a container whose monitor has ended, and follow its policy."""
        with container.lock:
            status = self._final_status(container)
            self._note_end(container, status)
            if container.turning:
                self._hold(container, status)
                return
            if _ran_long(status):
                container.failures = 0
            again = restart.should_restart(
                container.manifest.spec.restart,
                exit_code=_KILLED if status.exit_code is None else status.exit_code,
                restart_count=status.restart_count,
                stop_requested=status.stop_requested,
            )
            if again:
                self._restart_later(container, status)
            else:
                self.end(container, status)

    def _note_end(self, container: Container, status: Status) -> None:
        container.ends += 1
        container.last_code = status.exit_code or 0
        if status.oom_killed:
            self._events.container(container.record, "oom")
        self._events.container(container.record, "die", exit_code=str(container.last_code))

    def end(self, container: Container, status: Status) -> None:
        """Take everything of a container down, and say that it has ended so."""
        with container.lock:
            container.run += 1
            self._launcher.release(container.id, container.paths)
            ended = msgspec.structs.replace(
                status,
                state="exited",
                monitor=None,
                init=None,
                ports=(),
                endpoints=(),
                health="",
                restart_at=None,
            )
            container.update(ended)
        for listener in self._listeners:
            listener(container)

    def _final_status(self, container: Container) -> Status:
        status = container.status
        code = conmon.read_exit_code(container.id, container.paths)
        error = ""
        if code is None:
            # Its monitor was killed; nobody takes its output now.
            signalling.send(status.init, signal.SIGKILL)
            code, error = _KILLED, "its monitor ended before it"
        out_of_memory = code != 0 and self._launcher.was_out_of_memory(container.id)
        return msgspec.structs.replace(
            status, exit_code=code, error=error, oom_killed=out_of_memory, finished_at=time.time()
        )

    def _restart_later(self, container: Container, status: Status) -> None:
        self._launcher.release_runtime(container.id)
        wait = restart.delay(container.failures)
        container.failures += 1
        self._wait_to_start(container, status, time.time() + wait)
        run = container.run
        self._supervisor.after(wait, lambda: self._restart(container, run))

    def _hold(self, container: Container, status: Status) -> None:
        """Keep a container that a person restarts between its end and its start.

        Should the agent end here, the next one starts it.
        """
        self._launcher.release_runtime(container.id)
        going_on = msgspec.structs.replace(status, stop_requested=False)
        self._wait_to_start(container, going_on, None)

    def _wait_to_start(self, container: Container, status: Status, at: float | None) -> None:
        container.update(
            msgspec.structs.replace(
                status, state="restarting", monitor=None, init=None, health="", restart_at=at
            )
        )

    def _restart(self, container: Container, run: int) -> None:
        with container.lock:
            if container.run != run or container.status.state != "restarting":
                return
            status = container.status
            try:
                self._launch(container, restart_count=status.restart_count + 1)
            except AgentError as exc:
                logger.warning("container %s cannot restart: %s", container.id, exc)
                failed = msgspec.structs.replace(
                    status, error=exc.message, restart_count=status.restart_count + 1
                )
                self._restart_later(container, failed)

    def resume(self, container: Container) -> None:
        """Start a container that should run, after the agent or the machine came back."""
        with container.lock:
            self._restart_later(container, container.status)

    def stop(self, container: Container, grace: float | None) -> None:
        """Stop a container and wait for its end. See ``Engine.stop_container``."""
        with container.lock:
            _check_present(container)
            status = msgspec.structs.replace(container.status, stop_requested=True)
            if status.state == "restarting":
                self.end(container, status)
            if not container.is_alive():
                return
            container.update(msgspec.structs.replace(status, state="stopping"))
            self._send(container, status, signal_number(container.manifest.stop_signal))
        self._await_stop(container, status, grace)
        self._events.container(container.record, "stop")

    def _await_stop(self, container: Container, status: Status, grace: float | None) -> None:
        seconds = container.manifest.spec.stop_grace if grace is None else grace

        def run_has_ended(now: Status) -> bool:
            # Another caller may have started it again before we woke up.
            return now.state in ENDED or now.init != status.init

        try:
            container.wait_until(run_has_ended, seconds)
        except TimedOutError:
            self._send(container, status, signal.SIGKILL)
            container.wait_until(run_has_ended, KILL_TIME)

    def kill(self, container: Container, name: str) -> None:
        """Send a signal. SIGKILL is a person's stop: no policy starts it again."""
        number = signal_number(name)
        with container.lock:
            _check_present(container)
            if not container.is_alive():
                raise _not_running(container)
            if number == signal.SIGKILL and not container.status.stop_requested:
                container.update(msgspec.structs.replace(container.status, stop_requested=True))
            self._send(container, container.status, number)

    def _send(self, container: Container, status: Status, number: int) -> None:
        # Told first, as the end that it brings is told at once.
        self._events.container(container.record, "kill", signal=str(number))
        signalling.send(status.init, number)
        ends = number in (signal.SIGKILL, signal_number(container.manifest.stop_signal))
        if ends and status.state == "paused":
            self._launcher.thaw(container.id)
            if container.status.state == "paused":
                container.update(msgspec.structs.replace(container.status, state="running"))

    def restart(self, container: Container, grace: float | None) -> None:
        """Stop and start a container as one act. See ``Engine.restart_container``."""
        with container.lock:
            _check_present(container)
            container.turning = was_alive = container.is_alive()
        try:
            self.stop(container, grace)
        finally:
            container.turning = False
        with container.lock:
            _check_present(container)
            held = container.status.state == "restarting"
            if was_alive and not held:
                # Somebody else stopped or started it meanwhile.
                return
            container.failures = 0
            try:
                self._launch(container, restart_count=0)
            except BaseException:
                self.end(container, container.status)
                raise
        self._events.container(container.record, "restart")

    def release(self, container: Container) -> None:
        """Take down what a container may still hold. Idempotent."""
        self._launcher.release(container.id, container.paths)


def _running(container: Container, launched: Launched, restart_count: int) -> Status:
    return Status(
        state="running",
        health="starting" if container.manifest.health else "",
        started_at=time.time(),
        restart_count=restart_count,
        monitor=launched.monitor,
        init=launched.init,
        ports=launched.attachment.ports,
        endpoints=launched.attachment.endpoints,
    )


def _ran_long(status: Status) -> bool:
    if status.started_at is None or status.finished_at is None:
        return False
    return status.finished_at - status.started_at >= restart.STEADY_AFTER


def _check_present(container: Container) -> None:
    if container.removed:
        raise NotFoundError(f"the container {container.manifest.name} was removed")


def _not_running(container: Container) -> ConflictError:
    return ConflictError(f"the container {container.manifest.name} does not run")
