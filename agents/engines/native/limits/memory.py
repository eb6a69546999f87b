"""Memory, swap, reservations, huge pages; and the number of processes."""

from agents.engines.native.limits.place import Place, Settings
from agents.engines.specs import Limits
from agents.errors import InvalidInputError
from agents.linux.cgroups import Setting
from agents.linux.cgroups.files import read_table

UNBOUNDED = -1
# As with Docker: a container with a memory limit may swap as much again.
_SWAP_FACTOR = 2

_V1_SWAP = "memory.memsw.limit_in_bytes"
_V1_MEMORY = "memory.limit_in_bytes"


def total_of(limits: Limits) -> int | None:
    """Return the bound of memory and swap together, None for no bound."""
    if limits.memory_swap is None:
        return None if limits.memory is None else limits.memory * _SWAP_FACTOR
    return None if limits.memory_swap == UNBOUNDED else limits.memory_swap


def memory_settings(before: Limits, after: Limits, place: Place) -> Settings:
    """Return the bounds of memory, and of memory with swap, in an order the kernel takes.

    With v1 the second may at no moment be under the first.
    """
    if not place.is_v1("memory"):
        return _v2_settings(after)
    old, new = total_of(before), total_of(after)
    memory = _bound("memory", _V1_MEMORY, after.memory, none="-1")
    total = _bound("memory_swap", _V1_SWAP, new, none="-1", optional=after.memory_swap is None)
    grows = old is not None and (new is None or new > old)
    return (total, memory) if grows else (memory, total)


def _v2_settings(limits: Limits) -> Settings:
    total = total_of(limits)
    swap = None if total is None or limits.memory is None else total - limits.memory
    optional = limits.memory_swap is None
    return (
        _bound("memory", "memory.max", limits.memory),
        _bound("memory_swap", "memory.swap.max", swap, optional=optional),
    )


def check_room(before: Limits, after: Limits, place: Place) -> None:
    """Raise ``InvalidInputError`` if a lower limit would get processes killed.

    v1 refuses such a limit by itself, v2 kills until it is kept.
    """
    bounded = before.memory != after.memory and after.memory is not None
    if not bounded or place.is_v1("memory"):
        return
    table = read_table(place.layout.folder("memory", place.cgroup), "memory.stat")
    kept = sum(table.get(name, 0) for name in ("anon", "shmem", "kernel"))
    if kept > (after.memory or 0):
        raise InvalidInputError(
            f"the limit memory cannot be {after.memory}: {kept} bytes are in use",
            hint="Free some of it first, or choose a higher limit.",
            field="memory",
        )


def reservation_settings(limits: Limits, place: Place) -> Settings:
    """Return what it keeps when others want memory."""
    if place.is_v1("memory"):
        file, none = "memory.soft_limit_in_bytes", "-1"
    else:
        file, none = "memory.low", "0"
    return (_bound("memory_reservation", file, limits.memory_reservation, none=none),)


def pids_settings(limits: Limits, place: Place) -> Settings:
    """Return how many processes and threads it may have."""
    del place
    value = "max" if limits.pids in (None, UNBOUNDED) else str(limits.pids)
    return (Setting(field="pids", controller="pids", file="pids.max", value=value),)


def huge_page_settings(before: Limits, after: Limits, place: Place) -> Settings:
    """Return the bounds of huge pages, for each size that has or had one."""
    is_v1 = place.is_v1("hugetlb")
    end, none = ("limit_in_bytes", "-1") if is_v1 else ("max", "max")
    sizes = dict.fromkeys((*before.huge_pages, *after.huge_pages))
    return tuple(
        Setting(
            field="huge_pages",
            controller="hugetlb",
            file=f"hugetlb.{size}.{end}",
            value=str(after.huge_pages.get(size, none)),
        )
        for size in sizes
    )


def _bound(
    field: str, file: str, value: int | None, *, none: str = "max", optional: bool = False
) -> Setting:
    text = none if value is None else str(value)
    return Setting(field=field, controller="memory", file=file, value=text, optional=optional)
