"""What containers use: the counters of their cgroups, and of their interfaces."""

import time
from collections.abc import Iterator

from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.container import Container
from agents.errors import ConflictError
from agents.linux.cgroups.files import read_text
from agents.protocol.stats import InterfaceUsage, StatsRecord

_LOOPBACK = "lo"


def read_stats(container: Container, cgroups: ContainerCgroups) -> StatsRecord:
    """Return what a container uses now; blocks for about half a millisecond.

    Takes no lock: it may end meanwhile. Raises ``ConflictError`` if it does not run.
    """
    status = container.status
    if not container.is_alive() or status.init is None or not status.init.is_current():
        raise ConflictError(f"the container {container.manifest.name} does not run")
    has_own_network = container.manifest.spec.network_mode != "host"
    counters = cgroups.counters(container.id)
    return StatsRecord(
        container_id=container.id,
        at=time.time(),
        cpu=counters.cpu,
        memory=counters.memory,
        pids=counters.pids,
        pids_limit=counters.pids_limit,
        blocks=counters.blocks,
        interfaces=read_interfaces(status.init.pid) if has_own_network else (),
        cpu_pressure=counters.cpu_pressure,
        memory_pressure=counters.memory_pressure,
        io_pressure=counters.io_pressure,
    )


def read_interfaces(pid: int) -> tuple[InterfaceUsage, ...]:
    """Return the interfaces of a process's network namespace, its loopback left out.

    Empty when the process is not there any more.
    """
    return tuple(_interfaces(read_text(f"/proc/{pid}/net", "dev")))


def _interfaces(text: str) -> Iterator[InterfaceUsage]:
    """Read /proc/net/dev (proc(5)): two lines of titles; eight columns in, eight out."""
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        if name.strip() == _LOOPBACK:
            continue
        columns = [int(word) for word in rest.split()]
        yield InterfaceUsage(
            name=name.strip(),
            received_bytes=columns[0],
            received_packets=columns[1],
            received_errors=columns[2],
            received_drops=columns[3],
            sent_bytes=columns[8],
            sent_packets=columns[9],
            sent_errors=columns[10],
            sent_drops=columns[11],
        )
