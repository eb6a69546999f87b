"""What the kernel counts for a cgroup: CPU, memory, processes, block devices, pressure.

v2 without a controller still has cpu.stat and the pressure files; so on hybrid hosts the
counters come from v1 and the pressure from v2.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from agents.linux.cgroups.files import read_number, read_table, read_text
from agents.linux.cgroups.layout import Layout
from agents.protocol.stats import BlockUsage, CpuUsage, MemoryUsage, Pressure, Stall

_NANOSECONDS = 1e9
_MICROSECONDS = 1e6
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Counters:
    """One reading of a cgroup; everything is None, 0 or empty when it is not there."""

    cpu: CpuUsage
    memory: MemoryUsage
    pids: int | None
    pids_limit: int | None
    blocks: tuple[BlockUsage, ...]
    cpu_pressure: Pressure | None
    memory_pressure: Pressure | None
    io_pressure: Pressure | None


def read_counters(layout: Layout, cgroup: str) -> Counters:
    """Return what a cgroup uses now. Blocks for about 0.3 ms."""
    pids = layout.folder("pids", cgroup)
    unified = None if layout.unified is None else layout.unified / cgroup.lstrip("/")
    return Counters(
        cpu=_cpu(layout, cgroup),
        memory=_memory(layout, cgroup),
        pids=read_number(pids, "pids.current"),
        pids_limit=read_number(pids, "pids.max"),
        blocks=_blocks(layout, cgroup),
        cpu_pressure=_pressure(unified, "cpu.pressure"),
        memory_pressure=_pressure(unified, "memory.pressure"),
        io_pressure=_pressure(unified, "io.pressure"),
    )


def read_oom_kills(layout: Layout, cgroup: str) -> int:
    """Return how many processes of a cgroup the kernel killed for want of memory; 0 if the
    cgroup is not there.

    v2 tells it in memory.events, v1 in memory.oom_control.
    """
    name = "memory.oom_control" if layout.is_v1("memory") else "memory.events"
    return read_table(layout.folder("memory", cgroup), name).get("oom_kill", 0)


def _cpu(layout: Layout, cgroup: str) -> CpuUsage:
    folder = layout.folder("cpu", cgroup)
    table = read_table(folder, "cpu.stat")
    total, user, system = _cpu_times(layout, cgroup, table)
    waited = table.get("throttled_time", 0) / _NANOSECONDS
    return CpuUsage(
        total=total,
        user=user,
        system=system,
        periods=table.get("nr_periods", 0),
        throttled_periods=table.get("nr_throttled", 0),
        throttled=waited or table.get("throttled_usec", 0) / _MICROSECONDS,
        online=os.cpu_count() or 1,
        limit=_cpu_limit_v1(folder) if layout.is_v1("cpu") else _cpu_limit_v2(folder),
    )


def _cpu_limit_v1(folder: Path | None) -> float | None:
    """Return its quota in CPUs: one of -1 is none (sched-bwc.rst)."""
    quota = read_number(folder, "cpu.cfs_quota_us") or 0
    period = read_number(folder, "cpu.cfs_period_us") or 0
    return quota / period if quota > 0 and period > 0 else None


def _cpu_limit_v2(folder: Path | None) -> float | None:
    """Return its quota in CPUs: ``max 100000`` is none (cgroup-v2.rst)."""
    words = read_text(folder, "cpu.max").split()
    if len(words) != 2 or not words[0].isdecimal():
        return None
    return int(words[0]) / int(words[1])


def _cpu_times(
    layout: Layout, cgroup: str, table: dict[str, int]
) -> tuple[float | None, float | None, float | None]:
    if not layout.is_v1("cpuacct"):
        names = ("usage_usec", "user_usec", "system_usec")
        total, user, system = (_divided(table.get(name), _MICROSECONDS) for name in names)
        return total, user, system
    folder = layout.folder("cpuacct", cgroup)
    ticks = read_table(folder, "cpuacct.stat")
    return (
        _divided(read_number(folder, "cpuacct.usage"), _NANOSECONDS),
        _divided(ticks.get("user"), _TICKS),
        _divided(ticks.get("system"), _TICKS),
    )


def _divided(count: int | None, unit: float) -> float | None:
    return None if count is None else count / unit


def _memory(layout: Layout, cgroup: str) -> MemoryUsage:
    folder = layout.folder("memory", cgroup)
    return _memory_v1(folder) if layout.is_v1("memory") else _memory_v2(folder)


def _memory_v1(folder: Path | None) -> MemoryUsage:
    table = read_table(folder, "memory.stat")
    return MemoryUsage(
        used=_without_idle(
            read_number(folder, "memory.usage_in_bytes"), table.get("total_inactive_file", 0)
        ),
        limit=read_number(folder, "memory.limit_in_bytes"),
        anonymous=table.get("total_rss"),
        cache=table.get("total_cache"),
        swap=table.get("total_swap"),
        kernel=read_number(folder, "memory.kmem.usage_in_bytes"),
        limit_hits=read_number(folder, "memory.failcnt") or 0,
        oom_kills=read_table(folder, "memory.oom_control").get("oom_kill", 0),
    )


def _memory_v2(folder: Path | None) -> MemoryUsage:
    table = read_table(folder, "memory.stat")
    events = read_table(folder, "memory.events")
    return MemoryUsage(
        used=_without_idle(read_number(folder, "memory.current"), table.get("inactive_file", 0)),
        limit=read_number(folder, "memory.max"),
        anonymous=table.get("anon"),
        cache=table.get("file"),
        swap=read_number(folder, "memory.swap.current"),
        kernel=table.get("kernel"),
        limit_hits=events.get("max", 0),
        oom_kills=events.get("oom_kill", 0),
    )


def _without_idle(used: int | None, idle: int) -> int | None:
    return None if used is None else max(0, used - idle)


def _blocks(layout: Layout, cgroup: str) -> tuple[BlockUsage, ...]:
    if layout.is_v1("blkio"):
        return _blocks_v1(layout.folder("blkio", cgroup))
    lines = read_text(layout.folder("io", cgroup), "io.stat").splitlines()
    return tuple(_block_v2(line) for line in lines if "=" in line)


def _blocks_v1(folder: Path | None) -> tuple[BlockUsage, ...]:
    amounts = _by_device(folder, "blkio.throttle.io_service_bytes_recursive")
    counts = _by_device(folder, "blkio.throttle.io_serviced_recursive")
    return tuple(
        BlockUsage(
            device=device,
            read_bytes=amount.get("Read", 0),
            written_bytes=amount.get("Write", 0),
            reads=counts.get(device, {}).get("Read", 0),
            writes=counts.get(device, {}).get("Write", 0),
        )
        for device, amount in amounts.items()
    )


def _by_device(folder: Path | None, name: str) -> dict[str, dict[str, int]]:
    """Return lines such as ``8:0 Read 4096`` by device; the last one, a sum, has no device."""
    found: dict[str, dict[str, int]] = {}
    for line in read_text(folder, name).splitlines():
        words = line.split()
        if len(words) == 3:
            found.setdefault(words[0], {})[words[1]] = int(words[2])
    return found


def _block_v2(line: str) -> BlockUsage:
    device, *pairs = line.split()
    counts = {name: int(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    return BlockUsage(
        device=device,
        read_bytes=counts.get("rbytes", 0),
        written_bytes=counts.get("wbytes", 0),
        reads=counts.get("rios", 0),
        writes=counts.get("wios", 0),
    )


def _pressure(folder: Path | None, name: str) -> Pressure | None:
    """Return one pressure file (psi.rst): ``some avg10=0.00 avg60=0.00 avg300=0.00 total=0``."""
    lines = [line.split() for line in read_text(folder, name).splitlines()]
    stalls = {words[0]: _stall(words[1:]) for words in lines if words}
    some = stalls.get("some")
    return None if some is None else Pressure(some=some, full=stalls.get("full"))


def _stall(pairs: list[str]) -> Stall:
    values = dict(pair.split("=") for pair in pairs)
    return Stall(
        avg10=float(values["avg10"]),
        avg60=float(values["avg60"]),
        avg300=float(values["avg300"]),
        total=int(values["total"]) / _MICROSECONDS,
    )
