"""Limits by cgroups, from a spec to what the OCI runtime writes."""

from agents.engines.native.oci import defaults
from agents.engines.native.oci.types import Cpu, Memory, Pids, Resources
from agents.engines.specs import Limits
from agents.errors import InvalidInputError

CPU_PERIOD = 100_000


def make_resources(limits: Limits, *, privileged: bool) -> Resources:
    """Return the limits of one container. Raises ``InvalidInputError`` for a wrong one."""
    for name, value in (("cpus", limits.cpus), ("memory", limits.memory), ("pids", limits.pids)):
        if value is not None and value <= 0:
            raise InvalidInputError(f"the limit of {name} must be above 0", field=name)
    cpu = None
    if limits.cpus is not None:
        # The kernel takes no quota under a millisecond (Documentation/scheduler/sched-bwc).
        cpu = Cpu(quota=max(1000, round(limits.cpus * CPU_PERIOD)), period=CPU_PERIOD)
    return Resources(
        devices=defaults.ALL_DEVICES if privileged else defaults.DEVICES,
        memory=None if limits.memory is None else Memory(limit=limits.memory),
        cpu=cpu,
        pids=None if limits.pids is None else Pids(limit=limits.pids),
    )
