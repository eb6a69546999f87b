"""From limits to the values that bring a cgroup from the ones before to the ones after."""

import os
from collections.abc import Iterator
from dataclasses import fields

from agents.engines.native.limits import blocks, cpu, memory
from agents.engines.native.limits.checks import parse_list
from agents.engines.native.limits.place import Place, Settings
from agents.engines.specs import Limits
from agents.linux.cgroups import Setting

FIELDS = tuple(one.name for one in fields(Limits))
NO_LIMITS = Limits()

_PAGE = os.sysconf("SC_PAGE_SIZE")
# v1 writes "no limit" as the greatest multiple of a page that a signed number can hold.
_MOST = 1 << 62

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


def all_settings(limits: Limits, place: Place) -> Settings:
    """Return what the files must hold, also those of limits that are not set.

    Raises as :func:`make_settings` does.
    """
    made = [one for make in _ONE_BY_ONE.values() for one in make(limits, place)]
    made += memory.memory_settings(NO_LIMITS, limits, place)
    made += blocks.rate_settings(NO_LIMITS, limits, place)
    made += memory.huge_page_settings(NO_LIMITS, limits, place)
    return tuple(made)


def is_same(setting: Setting, found: str) -> bool:
    """Return whether what a file holds is what was written, in the kernel's own words."""
    wanted = setting.value
    if setting.controller == "cpuset":
        return parse_list(wanted) == parse_list(found)
    if _is_unbounded(wanted) or _is_unbounded(found):
        return _is_unbounded(wanted) and _is_unbounded(found)
    if setting.controller in ("memory", "hugetlb") and wanted.isdigit() and found.isdigit():
        # Kept in whole pages, rounded down.
        return int(wanted) // _PAGE == int(found) // _PAGE
    return wanted == found


def _is_unbounded(value: str) -> bool:
    return value in ("max", "-1") or (value.isdigit() and int(value) >= _MOST)


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
