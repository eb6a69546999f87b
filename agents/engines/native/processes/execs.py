"""All execs of an engine: started, listed, taken up again after an agent's end."""

import logging
import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path

import msgspec

from agents.engines import detach_keys
from agents.engines.abilities.processes import Session
from agents.engines.event_ring import EventRing
from agents.engines.names import check_texts
from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.containers.records import ProcessMark
from agents.engines.native.containers.supervisor import Supervisor
from agents.engines.native.processes import program as programs
from agents.engines.native.processes.plan import ExecPlan, make_plan
from agents.engines.native.processes.program import Program, Where
from agents.engines.native.processes.session import Exec, ExecSession
from agents.engines.specs import ExecSpec
from agents.errors import ConflictError, OutOfSpaceError
from agents.linux import process
from agents.linux.failures import kernel_errors
from agents.linux.idmaps import IdMaps
from agents.protocol.records import ExecRecord

logger = logging.getLogger(__name__)

# How many that have ended are remembered, of all containers together.
REMEMBERED = 200
FOLDER = "execs"


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent that comes later needs to know of an exec."""

    record: ExecRecord
    runner: ProcessMark


class Execs:
    """Execs by their ids; may be called from several threads at once."""

    def __init__(
        self, run: Path, supervisor: Supervisor, cgroups: ContainerCgroups, events: EventRing
    ) -> None:
        self._runtime_state = run / "runtime"
        self._supervisor = supervisor
        self._cgroups = cgroups
        self._events = events
        self._lock = threading.Lock()
        self._records: OrderedDict[str, ExecRecord] = OrderedDict()
        self._running: dict[str, Exec] = {}

    def start(self, container: Container, spec: ExecSpec) -> Session:
        """See :meth:`agents.engines.abilities.processes.Executes.start_exec`."""
        self._cgroups.expect_move()
        check_texts(spec)
        keys = detach_keys.parse(spec.detach_keys)
        with container.lock:
            init = running_init(container)
            plan = make_plan(container, spec, Path(f"/proc/{init}/root"))
            program = self._start_program(container, init, plan, spec)
            record, running = _record(container, spec), Exec(program)
            with self._lock:
                self._records[record.id] = record
                self._running[record.id] = running
            self._note(container, record, program)
        session = ExecSession(
            record.id,
            running,
            tty=plan.process.terminal,
            detached=spec.detach,
            detach_keys=keys,
            later=self._supervisor.after,
            on_detach=lambda: self._tell(container, "exec_detach", record.id),
        )
        self._tell(container, "exec_create", record.id)
        self._tell(container, "exec_start", record.id)
        self._supervisor.on_end(program.runner.pid, lambda: self._end(container, record.id))
        return session

    def _tell(self, container: Container, action: str, exec_id: str) -> None:
        self._events.container(container.record, action, exec=exec_id)

    def _start_program(
        self, container: Container, init: int, plan: ExecPlan, spec: ExecSpec
    ) -> Program:
        user = plan.process.user
        folder = container.paths.run / FOLDER
        with kernel_errors("make", folder):
            folder.mkdir(exist_ok=True, mode=0o700)
        where = Where(
            state=self._runtime_state,
            container_id=container.id,
            folder=folder,
            owner=IdMaps.of(init).owner_outside(user.uid, user.gid),
            admit=lambda pid: self._cgroups.admit(container.id, pid),
        )
        return programs.start(where, plan, stdin=spec.stdin, streams=not spec.detach)

    def _note(self, container: Container, record: ExecRecord, program: Program) -> None:
        mark = ProcessMark.of(program.runner.pid)
        if mark is None:
            return
        note = msgspec.json.encode(_Note(record=record, runner=mark))
        try:
            write_atomic(_note_path(container, record.id), note, sync=False)
        except OutOfSpaceError as exc:
            logger.warning("the exec %s is not on disk: %s", record.id, exc)

    def list(self, container_id: str) -> tuple[ExecRecord, ...]:
        """See :meth:`agents.engines.abilities.processes.Executes.list_execs`."""
        with self._lock:
            found = [one for one in self._records.values() if one.container_id == container_id]
            running = dict(self._running)
        return tuple(
            msgspec.structs.replace(one, pid=running[one.id].pid()) if one.id in running else one
            for one in found
        )

    def _end(self, container: Container, exec_id: str) -> None:
        with self._lock:
            running = self._running.get(exec_id)
        if running is not None:
            running.settle()
        with self._lock:
            self._running.pop(exec_id, None)
            self._records[exec_id] = msgspec.structs.replace(
                self._records[exec_id],
                running=False,
                exit_code=None if running is None else running.exit_code,
            )
            self._forget_oldest()
        code = "" if running is None else str(running.exit_code)
        self._events.container(container.record, "exec_die", exec=exec_id, exit_code=code)
        path = _note_path(container, exec_id)
        with kernel_errors("remove", path):
            path.unlink(missing_ok=True)

    def _forget_oldest(self) -> None:
        ended = [one.id for one in self._records.values() if not one.running]
        for exec_id in ended[: max(0, len(ended) - REMEMBERED)]:
            del self._records[exec_id]

    def close(self) -> None:
        """Let go of what still runs, as an agent that ends does. Idempotent."""
        with self._lock:
            for one in self._running.values():
                process.let_go(one.program.runner)
            self._running.clear()

    def adopt(self, container: Container) -> None:
        """Take up what an earlier agent started: detached ones go on, the others are ended.

        Nobody could read or write these any more.
        """
        folder = container.paths.run / FOLDER
        if not folder.is_dir():
            return
        for path in sorted(folder.glob("*.json")):
            self._adopt(container, path)

    def _adopt(self, container: Container, path: Path) -> None:
        try:
            note = msgspec.json.decode(path.read_bytes(), type=_Note)
        except (msgspec.DecodeError, FileNotFoundError):
            return
        pid = note.runner.pid
        if not note.runner.is_current() or not process.is_running(pid):
            path.unlink(missing_ok=True)
            return
        if not note.record.detached:
            programs.end_orphan(pid)
        with self._lock:
            self._records[note.record.id] = note.record
        self._supervisor.on_end(pid, lambda: self._end(container, note.record.id))


def running_init(container: Container) -> int:
    """Return the first process of a container. The caller holds its lock.

    Raises ``ConflictError`` if it does not run or is paused.
    """
    if container.status.state == "paused":
        name = container.manifest.name
        raise ConflictError(f"the container {name} is paused", hint="Unpause it first.")
    return check_runs(container)


def check_runs(container: Container) -> int:
    """Return the first process of a container. Raises ``ConflictError`` if it does not run."""
    init = container.status.init
    if not container.is_alive() or init is None:
        name = container.manifest.name
        raise ConflictError(f"the container {name} does not run", hint="Start it first.")
    return init.pid


def _record(container: Container, spec: ExecSpec) -> ExecRecord:
    return ExecRecord(
        id=secrets.token_hex(32),
        container_id=container.id,
        command=spec.command,
        running=True,
        started_at=time.time(),
        user=spec.user,
        tty=spec.tty,
        detached=spec.detach,
    )


def _note_path(container: Container, exec_id: str) -> Path:
    return container.paths.run / FOLDER / f"{exec_id}.json"
