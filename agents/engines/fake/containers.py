"""The life of fake containers: threads instead of processes."""

import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from time import monotonic

import msgspec

from agents.engines import restart
from agents.engines.base import ContainerEvent
from agents.engines.fake.log import Log
from agents.engines.fake.script import Program, Stream, parse
from agents.engines.names import check_container_name
from agents.engines.specs import ContainerSpec
from agents.errors import ConflictError, NotFoundError, TimedOutError
from agents.protocol.records import ContainerRecord, EndpointRecord, PortRecord

ALIVE = ("running", "stopping")


class FakeContainer:
    """One container; its fields are used under the engine's lock."""

    def __init__(self, spec: ContainerSpec, record: ContainerRecord) -> None:
        self.spec = spec
        self.record = record
        self.log = Log(record.id)
        self.anonymous: tuple[str, ...] = ()
        self.program: Program | None = None
        self.stop_requested = False
        self.failures = 0
        self.run = 0
        self.ends = 0
        self.last_code = 0
        self.removed = False
        self.turning = False

    @property
    def is_alive(self) -> bool:
        """Return whether its program runs."""
        return self.record.state in ALIVE


class Containers:
    """All containers of one fake engine, under one lock that ``changed`` shares."""

    def __init__(self, publish: Callable[[ContainerEvent], None]) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._publish = publish
        self._containers: dict[str, FakeContainer] = {}

    def find(self, name_or_id: str) -> FakeContainer:
        """Return one by name, id or beginning of the id. Raises ``NotFoundError``."""
        for one in self._containers.values():
            if name_or_id in (one.record.name, one.record.id):
                return one
        for one in self._containers.values():
            if len(name_or_id) >= 4 and one.record.id.startswith(name_or_id):
                return one
        raise NotFoundError(f"there is no container {name_or_id}")

    def find_or_none(self, name_or_id: str) -> FakeContainer | None:
        """Return what :meth:`find` does, None if there is none."""
        try:
            return self.find(name_or_id)
        except NotFoundError:
            return None

    def list(self, labels: Mapping[str, str] | None = None) -> Iterator[FakeContainer]:
        """Yield those with all of ``labels``."""
        wanted = (labels or {}).items()
        for one in tuple(self._containers.values()):
            if wanted <= one.record.labels.items():
                yield one

    def same(self, spec: ContainerSpec) -> FakeContainer | None:
        """Return the container made from this spec; raises ``ConflictError`` for another."""
        self_named = self.find_or_none(spec.name) if spec.name else None
        if self_named is None or self_named.spec == spec:
            return self_named
        raise ConflictError(f"the name {spec.name} is taken", field="container_name")

    def add(self, spec: ContainerSpec, record: ContainerRecord) -> FakeContainer:
        """Take in a new container and tell everybody."""
        check_container_name(spec.name)
        container = FakeContainer(spec, record)
        self._containers[record.id] = container
        self.update(container)
        return container

    def update(self, container: FakeContainer, **changes: object) -> None:
        """Change the record, with the next sequence number, and tell everybody."""
        changes["sequence"] = container.record.sequence + 1
        container.record = msgspec.structs.replace(container.record, **changes)
        self._tell(container, container.record)

    def rename(self, container: FakeContainer, name: str) -> None:
        """Raises ``ConflictError``, ``InvalidInputError``."""
        check_container_name(name)
        known = self.find_or_none(name)
        if known not in (None, container):
            raise ConflictError(f"the name {name} is taken", field="container_name")
        container.spec = replace(container.spec, name=name)
        self.update(container, name=name)

    def start(
        self,
        container: FakeContainer,
        ports: tuple[PortRecord, ...],
        endpoints: tuple[EndpointRecord, ...],
    ) -> None:
        """Run its program, by a person's wish."""
        container.stop_requested, container.failures = False, 0
        self._launch(container, restart_count=0, ports=ports, endpoints=endpoints)

    def _launch(self, container: FakeContainer, **changes: object) -> None:
        statements = parse(container.record.command)
        container.run += 1
        run = container.run

        def write(stream: Stream, text: str) -> None:
            with self.lock:
                container.log.add(stream, text)
                self.changed.notify_all()

        container.program = Program(statements, write, lambda code: self._end(container, run, code))
        self.update(
            container,
            **changes,
            state="running",
            started_at=time.time(),
            stopped=False,
            restart_at=None,
            finished_at=None,
            exit_code=None,
        )
        container.program.start()

    def _end(self, container: FakeContainer, run: int, code: int) -> None:
        with self.lock:
            if container.run != run or not container.is_alive:
                return
            container.program = None
            container.ends, container.last_code = container.ends + 1, code
            again = restart.should_restart(
                container.spec.restart,
                exit_code=code,
                restart_count=container.record.restart_count,
                stop_requested=container.stop_requested,
            )
            ended = {
                "exit_code": code,
                "finished_at": time.time(),
                "stopped": container.stop_requested,
            }
            if again:
                self._restart_later(container, ended)
            else:
                self.update(container, state="exited", ports=(), endpoints=(), **ended)
                if container.spec.auto_remove and not container.turning:
                    self.remove(container)

    def _restart_later(self, container: FakeContainer, ended: Mapping[str, object]) -> None:
        run, wait = container.run, restart.delay(container.failures)
        self.update(container, state="restarting", restart_at=time.time() + wait, **ended)

        def begin() -> None:
            with self.lock:
                if container.run == run and container.record.state == "restarting":
                    self._launch(container, restart_count=container.record.restart_count + 1)

        timer = threading.Timer(wait, begin)
        timer.daemon = True
        container.failures += 1
        timer.start()

    def stop(self, container: FakeContainer, grace: float) -> None:
        """Stop a container and wait for its end. Call without the lock."""
        with self.lock:
            container.stop_requested = True
            if container.record.state == "restarting":
                container.run += 1
                self.update(
                    container,
                    state="exited",
                    stopped=True,
                    restart_at=None,
                    ports=(),
                    endpoints=(),
                )
            if container.program is None:
                return
            self.update(container, state="stopping")
            container.program.signal(signal.SIGTERM)
            try:
                self.wait(container, lambda: not container.is_alive, grace)
            except TimedOutError:
                container.program.signal(signal.SIGKILL)
                self.wait(container, lambda: not container.is_alive, None)

    def kill(self, container: FakeContainer, number: int) -> None:
        """Send a signal. Raises ``ConflictError`` if it does not run."""
        if container.program is None:
            raise ConflictError(f"the container {container.record.name} does not run")
        container.stop_requested |= number == signal.SIGKILL
        container.program.signal(number)

    def remove(self, container: FakeContainer) -> None:
        """Forget a container that has ended, and tell everybody."""
        del self._containers[container.record.id]
        container.removed = True
        container.record = msgspec.structs.replace(
            container.record, sequence=container.record.sequence + 1
        )
        self._tell(container, None)

    def wait(
        self, container: FakeContainer, reached: Callable[[], bool], timeout: float | None
    ) -> None:
        """Block until ``reached``. Raises ``TimedOutError``, ``NotFoundError`` if removed."""
        deadline = None if timeout is None else monotonic() + timeout
        with self.lock:
            while not reached():
                if container.removed:
                    raise NotFoundError(f"the container {container.record.name} was removed")
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    name, state = container.record.name, container.record.state
                    raise TimedOutError(f"the container {name} is still {state}")
                self.changed.wait(left)

    def _tell(self, container: FakeContainer, record: ContainerRecord | None) -> None:
        self.changed.notify_all()
        event = ContainerEvent(
            container_id=container.record.id, sequence=container.record.sequence, container=record
        )
        self._publish(event)


def new_id() -> str:
    """Return an id that nothing else has."""
    return secrets.token_hex(32)
