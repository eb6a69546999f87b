"""What a container uses, as its kernel counts it, in plain frozen records.

Counters grow from the start of a container's cgroup, so a rate is the difference of two
readings by the difference of their times. None is what this host's kernel does not tell.
"""

from agents.protocol.records import Record


class CpuUsage(Record, frozen=True, kw_only=True):
    """Seconds of CPU time; ``online`` is the number of CPUs that the host has running.

    In ``periods`` periods with a quota it had to wait for the next one in
    ``throttled_periods``, for ``throttled`` seconds in all (summed over its CPUs). ``limit``
    is what its quota gives it, in CPUs; None without one.
    """

    total: float | None = None
    user: float | None = None
    system: float | None = None
    periods: int = 0
    throttled_periods: int = 0
    throttled: float = 0.0
    online: int = 1
    limit: float | None = None


class MemoryUsage(Record, frozen=True, kw_only=True):
    """Bytes. ``used`` leaves out the file cache that can be dropped at once.

    ``anonymous`` is what programs allocated, ``cache`` file pages, ``kernel`` the kernel's
    own on its behalf. ``limit_hits`` counts how often the limit was run into,
    ``oom_kills`` the processes that were killed for it.
    """

    used: int | None = None
    limit: int | None = None
    anonymous: int | None = None
    cache: int | None = None
    swap: int | None = None
    kernel: int | None = None
    limit_hits: int = 0
    oom_kills: int = 0


class BlockUsage(Record, frozen=True, kw_only=True):
    """What was read from and written to one block device (``8:0``), past all caches."""

    device: str
    read_bytes: int = 0
    written_bytes: int = 0
    reads: int = 0
    writes: int = 0


class InterfaceUsage(Record, frozen=True, kw_only=True):
    """One interface as the container has it: received is what came to the container."""

    name: str
    received_bytes: int = 0
    received_packets: int = 0
    received_errors: int = 0
    received_drops: int = 0
    sent_bytes: int = 0
    sent_packets: int = 0
    sent_errors: int = 0
    sent_drops: int = 0


class Stall(Record, frozen=True, kw_only=True):
    """Share of time (percent, over 10, 60 and 300 seconds) lost by waiting; ``total`` seconds."""

    avg10: float = 0.0
    avg60: float = 0.0
    avg300: float = 0.0
    total: float = 0.0


class Pressure(Record, frozen=True, kw_only=True):
    """How much was waited for one resource: by ``some`` of the processes, by all of them."""

    some: Stall
    full: Stall | None = None


class StatsRecord(Record, frozen=True, kw_only=True):
    """What one container uses at ``at`` (seconds since the epoch).

    ``interfaces`` is empty with the host's network. The pressures are None where the kernel
    has none for cgroups (before 5.2, with ``psi=0``, and without a cgroup v2 tree).
    """

    container_id: str
    at: float
    cpu: CpuUsage
    memory: MemoryUsage
    pids: int | None = None
    pids_limit: int | None = None
    blocks: tuple[BlockUsage, ...] = ()
    interfaces: tuple[InterfaceUsage, ...] = ()
    cpu_pressure: Pressure | None = None
    memory_pressure: Pressure | None = None
    io_pressure: Pressure | None = None
