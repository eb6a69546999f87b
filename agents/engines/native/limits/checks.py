"""Whether limits make sense, and whether this host can keep them."""

import math
import re
from pathlib import Path

from agents.engines.native.limits.blocks import RATE_FIELDS, device_number
from agents.engines.native.limits.memory import UNBOUNDED, total_of
from agents.engines.specs import Limits
from agents.errors import InvalidInputError, NotSupportedError
from agents.linux.cgroups import Layout
from agents.linux.cgroups.files import read_text

# Under it not even the runtime has room to start a program; Docker has the same.
LEAST_MEMORY = 6 << 20

_ONLINE_CPUS = Path("/sys/devices/system/cpu/online")
_ONLINE_NODES = Path("/sys/devices/system/node/online")
_HUGE_PAGES = Path("/sys/kernel/mm/hugepages")

_MOST_BYTES = 2**63 - 1
_LIST = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_PAGE_SIZE = re.compile(r"(\d+)(KB|MB|GB)")
_KIB = {"KB": 1, "MB": 1 << 10, "GB": 1 << 20}

# The controller of each field, with its name in v1 and in v2.
_CONTROLLERS = {
    "cpus": ("cpu", "cpu"),
    "cpu_shares": ("cpu", "cpu"),
    "cpuset_cpus": ("cpuset", "cpuset"),
    "cpuset_mems": ("cpuset", "cpuset"),
    "memory": ("memory", "memory"),
    "memory_swap": ("memory", "memory"),
    "memory_reservation": ("memory", "memory"),
    "pids": ("pids", "pids"),
    "blkio_weight": ("blkio", "io"),
    "huge_pages": ("hugetlb", "hugetlb"),
    **dict.fromkeys(RATE_FIELDS, ("blkio", "io")),
}


def check_limits(limits: Limits, layout: Layout) -> None:
    """Raise for the first limit that is wrong, or that this host cannot keep.

    Raises:
        InvalidInputError: a value makes no sense, or names what this host has not.
        NotSupportedError: the kernel has no controller for it. Both name the field.
    """
    _check_numbers(limits)
    _check_memory(limits)
    _check_list(limits.cpuset_cpus, _ONLINE_CPUS, "cpuset_cpus", "CPU")
    _check_list(limits.cpuset_mems, _ONLINE_NODES, "cpuset_mems", "memory node")
    for field in RATE_FIELDS:
        for path, rate in getattr(limits, field).items():
            _check_positive(rate, field)
            device_number(path, field)
    for size, bound in limits.huge_pages.items():
        _check_huge_pages(size, bound)
    _check_host(limits, layout)


def _check_numbers(limits: Limits) -> None:
    if limits.cpus is not None and not 0 < limits.cpus < math.inf:
        raise InvalidInputError("the limit of cpus must be above 0", field="cpus")
    if limits.pids != UNBOUNDED:
        _check_positive(limits.pids, "pids")
    _check_range(limits.cpu_shares, 2, 262_144, "cpu_shares")
    _check_range(limits.blkio_weight, 10, 1000, "blkio_weight")


def _check_positive(value: int | None, field: str) -> None:
    if value is not None and value <= 0:
        raise InvalidInputError(f"the limit of {field} must be above 0", field=field)


def _check_range(value: int | None, least: int, most: int, field: str) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidInputError(f"{field} must be from {least} to {most}", field=field)


def _check_memory(limits: Limits) -> None:
    for field in ("memory", "memory_swap", "memory_reservation"):
        if (getattr(limits, field) or 0) > _MOST_BYTES:
            # The kernel would take what is left after it has dropped the upper bits.
            raise InvalidInputError(f"{field} must be at most {_MOST_BYTES} bytes", field=field)
    if limits.memory is not None and limits.memory < LEAST_MEMORY:
        raise InvalidInputError(
            f"the limit of memory must be at least {LEAST_MEMORY} bytes", field="memory"
        )
    _check_positive(limits.memory_reservation, "memory_reservation")
    _check_swap(limits)
    kept, bound = limits.memory_reservation, limits.memory
    if kept is not None and bound is not None and kept > bound:
        raise InvalidInputError(
            "memory_reservation must not be above memory", field="memory_reservation"
        )


def _check_swap(limits: Limits) -> None:
    if limits.memory_swap in (None, UNBOUNDED):
        return
    if limits.memory is None:
        raise InvalidInputError(
            "memory_swap needs memory: it counts both together", field="memory_swap"
        )
    if (total_of(limits) or 0) < limits.memory:
        raise InvalidInputError(
            "memory_swap counts memory and swap together: it must not be under memory",
            field="memory_swap",
        )


def _check_list(value: str, online: Path, field: str, noun: str) -> None:
    if not value:
        return
    if not _LIST.fullmatch(value):
        raise InvalidInputError(
            f"{value!r} is no list of numbers", hint="Write it like 0-2,4.", field=field
        )
    present = parse_list(online.read_text().strip()) if online.exists() else {0}
    missing = sorted(parse_list(value) - present)
    if missing:
        raise InvalidInputError(
            f"this host has no {noun} {missing[0]}; it has {_ranges(present)}", field=field
        )


def parse_list(text: str) -> set[int]:
    """Return the numbers of a list such as ``0-2,4``.

    >>> sorted(parse_list("0-2,4"))
    [0, 1, 2, 4]
    """
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        # More than any kernel has, and not so many that they would fill the memory.
        found.update(range(int(first), min(int(last or first), 1 << 16) + 1))
    return found


def _ranges(numbers: set[int]) -> str:
    return ", ".join(str(one) for one in sorted(numbers))


def _check_huge_pages(size: str, bound: int) -> None:
    if bound < 0:
        raise InvalidInputError("huge_pages must not be negative", field="huge_pages")
    match = _PAGE_SIZE.fullmatch(size)
    if match is None:
        raise InvalidInputError(
            f"{size!r} is no size of huge pages", hint="Write it like 2MB.", field="huge_pages"
        )
    kib = int(match[1]) * _KIB[match[2]]
    if not (_HUGE_PAGES / f"hugepages-{kib}kB").is_dir():
        raise NotSupportedError(f"this host has no huge pages of {size}", field="huge_pages")


def _check_host(limits: Limits, layout: Layout) -> None:
    usual = Limits()
    for field, (v1, v2) in _CONTROLLERS.items():
        if getattr(limits, field) != getattr(usual, field) and not _has(layout, v1, v2):
            raise NotSupportedError(
                f"this host cannot limit {field}: it has no cgroup controller {v1}", field=field
            )
    if limits.memory_swap is not None and not _counts_swap(layout):
        raise NotSupportedError(
            "this host does not count swap, so memory_swap cannot be kept",
            hint="Start its kernel with swapaccount=1.",
            field="memory_swap",
        )


def _has(layout: Layout, v1: str, v2: str) -> bool:
    if layout.is_v1(v1):
        return True
    return v2 in read_text(layout.unified, "cgroup.controllers").split()


def _counts_swap(layout: Layout) -> bool:
    """Return whether v1 has the files for it; v2's are not in the root, and seen at the start."""
    if not layout.is_v1("memory"):
        return True
    return (layout.controllers["memory"] / "memory.memsw.limit_in_bytes").exists()
