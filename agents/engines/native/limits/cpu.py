"""CPU time: a quota, a weight, and on which CPUs and memory nodes."""

import math

from agents.engines.native.limits.place import Place, Settings
from agents.engines.specs import Limits
from agents.linux.cgroups import Setting
from agents.linux.cgroups.files import read_text

PERIOD = 100_000
# The kernel takes no quota under a millisecond (Documentation/scheduler/sched-bwc).
_LEAST_QUOTA = 1000
_USUAL_SHARES = 1024
_FEWEST_SHARES, _MOST_SHARES = 2, 262_144


def quota_settings(limits: Limits, place: Place) -> Settings:
    """Return what bounds the CPU time of each period of 100 ms."""
    quota = None if limits.cpus is None else max(_LEAST_QUOTA, round(limits.cpus * PERIOD))
    if not place.is_v1("cpu"):
        value = f"{'max' if quota is None else quota} {PERIOD}"
        return (Setting(field="cpus", controller="cpu", file="cpu.max", value=value),)
    value = "-1" if quota is None else str(quota)
    return (
        Setting(field="cpus", controller="cpu", file="cpu.cfs_period_us", value=str(PERIOD)),
        Setting(field="cpus", controller="cpu", file="cpu.cfs_quota_us", value=value),
    )


def share_settings(limits: Limits, place: Place) -> Settings:
    """Return its part of the CPUs when there is not enough for all."""
    shares = _USUAL_SHARES if limits.cpu_shares is None else limits.cpu_shares
    shares = min(max(shares, _FEWEST_SHARES), _MOST_SHARES)
    if place.is_v1("cpu"):
        file, value = "cpu.shares", str(shares)
    else:
        file, value = "cpu.weight", str(weight_of(shares))
    return (Setting(field="cpu_shares", controller="cpu", file=file, value=value),)


def weight_of(shares: int) -> int:
    """Return the cgroup v2 weight (1 to 10,000) for shares (2 to 262,144).

    The curve of the OCI runtimes since 2025, on which the usual value stays the usual value
    (https://github.com/opencontainers/cgroups/pull/20).

    >>> [weight_of(shares) for shares in (2, 1024, 262_144)]
    [1, 100, 10000]
    """
    power = math.log2(shares)
    exponent = (power * power + 125 * power) / 612.0 - 7.0 / 34.0
    return math.ceil(round(10**exponent, 6))


def cpu_set_settings(limits: Limits, place: Place) -> Settings:
    """Return on which CPUs it may run; without a limit those of the cgroup above."""
    return (_set_setting("cpuset_cpus", "cpuset.cpus", limits.cpuset_cpus, place),)


def node_set_settings(limits: Limits, place: Place) -> Settings:
    """Return from which memory nodes it may take."""
    return (_set_setting("cpuset_mems", "cpuset.mems", limits.cpuset_mems, place),)


def _set_setting(field: str, file: str, value: str, place: Place) -> Setting:
    if not value and place.is_v1("cpuset"):
        # v1 has no "as above": an empty set could hold no process.
        value = read_text(place.parent_folder("cpuset"), file).strip()
    return Setting(field=field, controller="cpuset", file=file, value=value)
