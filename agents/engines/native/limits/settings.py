"""From limits to the values that bring a cgroup from the ones before to the ones after."""

from collections.abc import Iterator
from dataclasses import fields

from agents.engines.native.limits import blocks, cpu, memory
from agents.engines.native.limits.place import Place, Settings
from agents.engines.specs import Limits
from agents.linux.cgroups import Setting

FIELDS = tuple(one.name for one in fields(Limits))
NO_LIMITS = Limits()

_ONE_BY_ONE = {
    "cpus": cpu.quota_settings,
    "cpu_shares": cpu.share_settings,
    "cpuset_cpus": cpu.cpu_set_settings,
    "cpuset_mems": cpu.node_set_settings,
    "memory_reservation": memory.reservation_settings,
    "pids": memory.pids_settings,
    "blkio_weight": blocks.weight_settings,
}


def make_settings(before: Limits, after: Limits, place: Place) -> Settings:
    """Return what must be written, in order; nothing for what stays as it is.

    A limit that is taken away gets the kernel's "no limit". Raises ``InvalidInputError`` for
    a path that is no block device.
    """
    return tuple(_settings(before, after, place))


def _settings(before: Limits, after: Limits, place: Place) -> Iterator[Setting]:
    for name, make in _ONE_BY_ONE.items():
        if getattr(before, name) != getattr(after, name):
            yield from make(after, place)
    bounds = [(one.memory, one.memory_swap) for one in (before, after)]
    if bounds[0] != bounds[1]:
        yield from memory.memory_settings(before, after, place)
    yield from blocks.rate_settings(before, after, place)
    if before.huge_pages != after.huge_pages:
        yield from memory.huge_page_settings(before, after, place)
