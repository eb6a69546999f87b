"""Asks running containers whether they are well, and remembers what they said.

The supervisor waits for everything: a container costs a timer, and a check that runs costs
a process, a pipe and two file descriptors, never a thread.
"""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from agents.engines.event_ring import EventRing
from agents.engines.native import runtime
from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.containers.health_plan import HealthPlan
from agents.engines.native.containers.health_probe import Probe, kill_left
from agents.engines.native.containers.supervisor import Supervisor
from agents.errors import AgentError
from agents.linux import process
from agents.linux.failures import kernel_errors
from agents.protocol.records import HealthRecord, HealthResult

logger = logging.getLogger(__name__)

RESULTS_KEPT = 5


class _Watch:
    """One run of a container that is checked."""

    def __init__(self, container: Container, plan: HealthPlan, record: HealthRecord) -> None:
        self.container = container
        self.plan = plan
        self.run = container.run
        self.record = record
        self.probe: Probe | None = None
        self.is_written = False

    @property
    def is_current(self) -> bool:
        """Return whether this run goes on."""
        return self.container.run == self.run and self.container.is_alive()

    @property
    def is_starting(self) -> bool:
        """Return whether it is in its start period and was not well yet."""
        started = self.container.status.started_at or 0.0
        in_period = time.time() - started < self.plan.start_period
        return in_period and self.record.state == "starting"

    @property
    def pause(self) -> float:
        """Return the seconds until the next check."""
        return self.plan.start_interval if self.is_starting else self.plan.interval


class HealthMonitor:
    """The health of all containers. May be used from any thread."""

    def __init__(
        self,
        supervisor: Supervisor,
        runtime_state: Path,
        events: EventRing,
        cgroups: ContainerCgroups,
    ) -> None:
        self._supervisor = supervisor
        self._runtime_state = runtime_state
        self._cgroups = cgroups
        self._events = events
        self._lock = threading.Lock()
        self._watches: dict[str, _Watch] = {}

    def begin(self, container: Container) -> None:
        """Check a container that has just been started, if it wants that."""
        plan = container.manifest.health
        if plan is None:
            return
        self._follow(_Watch(container, plan, HealthRecord(state="starting")))

    def adopt(self, container: Container) -> None:
        """Go on checking a container that ran on while no agent was there."""
        plan = container.manifest.health
        if plan is None:
            return
        # One that ran when the agent was killed: nobody takes its result now.
        if container.status.init is not None:
            kill_left(container.paths.health_pid, container.status.init.pid)
        self._follow(_Watch(container, plan, _load(container)))

    def find(self, container: Container) -> HealthRecord:
        """Return what is known; after the container's end, what was last known of it."""
        with self._lock:
            watch = self._watches.get(container.id)
        if watch is None:
            return HealthRecord(state=container.status.health)
        return msgspec.structs.replace(watch.record, state=container.status.health)

    def forget(self, container_id: str) -> None:
        """Forget a container that is removed. Idempotent."""
        with self._lock:
            self._watches.pop(container_id, None)

    def close(self) -> None:
        """End the checks that run; the supervisor is closed already. Idempotent."""
        with self._lock:
            watches = tuple(self._watches.values())
        for watch in watches:
            if watch.probe is not None:
                watch.probe.abandon()

    def _follow(self, watch: _Watch) -> None:
        with self._lock:
            self._watches[watch.container.id] = watch
        self._next(watch)

    def _next(self, watch: _Watch) -> None:
        self._supervisor.after(watch.pause, lambda: self._check(watch))

    def _check(self, watch: _Watch) -> None:
        if not watch.is_current:
            return
        container = watch.container
        if container.status.state != "running":
            # Paused: what is frozen cannot answer.
            self._next(watch)
            return
        probe = Probe(
            self._supervisor,
            container.paths.health_pid,
            watch.plan.timeout,
            lambda result: self._take(watch, result),
        )
        try:
            _write_process(watch)
            probe.start(lambda writer: self._spawn(container, writer))
            watch.probe = probe
        except AgentError as error:
            now = time.time()
            self._take(
                watch,
                HealthResult(started_at=now, finished_at=now, exit_code=-1, output=error.message),
            )

    def _spawn(self, container: Container, writer: int) -> process.Process[bytes]:
        paths = container.paths
        runner = runtime.spawn(
            self._runtime_state,
            "exec",
            f"--process={paths.health_process}",
            f"--pid-file={paths.health_pid}",
            container.id,
            stdout=writer,
            stderr=writer,
        )
        self._cgroups.admit(container.id, runner.pid)
        return runner

    def _take(self, watch: _Watch, result: HealthResult) -> None:
        """Note a result, and plan the next check. One that a pause or the end spoilt is none."""
        container = watch.container
        watch.probe = None
        with container.lock:
            if not watch.is_current:
                return
            if container.status.state == "running":
                watch.record = judge(watch.record, result, watch.plan, starting=watch.is_starting)
                _save(watch)
                self._tell(watch)
        self._next(watch)

    def _tell(self, watch: _Watch) -> None:
        """Say so when the health has changed; the caller holds the container's lock."""
        container, state = watch.container, watch.record.state
        if container.status.health == state:
            return
        container.update(msgspec.structs.replace(container.status, health=state))
        self._events.container(container.record, "health_status", health=state)


def judge(
    record: HealthRecord, result: HealthResult, plan: HealthPlan, *, starting: bool
) -> HealthRecord:
    """Return what a result makes of a container's health; ``starting`` forgives a failure."""
    results = (*record.results, result)[-RESULTS_KEPT:]
    if result.exit_code == 0:
        return HealthRecord(state="healthy", failures=0, results=results)
    if starting:
        return msgspec.structs.replace(record, results=results)
    failures = record.failures + 1
    state = "unhealthy" if failures >= plan.retries else record.state
    return HealthRecord(state=state, failures=failures, results=results)


def _write_process(watch: _Watch) -> None:
    """Write how the runtime starts a check: as the container's first process, but for argv."""
    if watch.is_written:
        return
    paths = watch.container.paths
    with kernel_errors("read", paths.config):
        config = msgspec.json.decode(paths.config.read_bytes())
    told = {**config["process"], "args": watch.plan.argv, "terminal": False}
    write_atomic(paths.health_process, msgspec.json.encode(told), sync=False)
    watch.is_written = True


def _save(watch: _Watch) -> None:
    """Keep the results for the next agent, where a reboot forgets them like the container."""
    try:
        data = msgspec.json.encode(watch.record)
        write_atomic(watch.container.paths.health, data, sync=False)
    except AgentError as error:
        logger.warning("the health of %s is not kept: %s", watch.container.id, error)


def _load(container: Container) -> HealthRecord:
    state = container.status.health or "starting"
    with suppress(OSError, msgspec.DecodeError):
        kept = msgspec.json.decode(container.paths.health.read_bytes(), type=HealthRecord)
        return msgspec.structs.replace(kept, state=state)
    return HealthRecord(state=state)
