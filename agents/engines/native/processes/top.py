"""What runs in a container, as the kernel tells it."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.users import user_names
from agents.engines.native.processes.execs import check_runs
from agents.errors import ConflictError, KernelError
from agents.linux import cgroups
from agents.linux.idmaps import IdMaps
from agents.linux.procinfo import ProcessInfo, read_process
from agents.protocol.records import ProcessRecord


def list_processes(container: Container, groups: ContainerCgroups) -> tuple[ProcessRecord, ...]:
    """See :meth:`agents.engines.abilities.processes.ListsProcesses.top_container`."""
    with container.lock:
        init = check_runs(container)
        pids = cgroups.list_processes(groups.layout, groups.path(container.id))
        try:
            ids, names = IdMaps.of(init), user_names(Path(f"/proc/{init}/root"))
        except KernelError as exc:
            name = container.manifest.name
            raise ConflictError(f"the container {name} is just ending") from exc
    found = [info for pid in pids if (info := read_process(pid)) is not None]
    return tuple(sorted(_records(found, ids, names), key=lambda one: one.pid))


def _records(
    found: Iterable[ProcessInfo], ids: IdMaps, names: Mapping[int, str]
) -> Iterable[ProcessRecord]:
    found = list(found)
    inner = {one.pid: one.inner_pid for one in found}
    now = time.time()
    for one in found:
        uid = ids.users.inside(one.uid)
        age = max(now - one.started_at, 0.01)
        yield ProcessRecord(
            pid=one.inner_pid,
            host_pid=one.pid,
            parent_pid=inner.get(one.parent, 0),
            user=names.get(uid, str(uid)),
            state=one.state,
            threads=one.threads,
            memory=one.memory,
            cpu_time=one.cpu_time,
            cpu_percent=round(100 * one.cpu_time / age, 1),
            started_at=one.started_at,
            terminal=one.terminal,
            command=one.command,
        )
