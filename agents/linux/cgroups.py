"""Control groups on all three layouts: v2, v1, and both side by side ("hybrid").

A cgroup is named by its path below the root of a hierarchy, such as ``/webpanel-1/abc``;
with v1 that path is in the hierarchy of every controller. See cgroups(7) and the kernel's
``admin-guide/cgroup-v2``.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agents.linux import mounts
from agents.linux.failures import kernel_errors

Mode = Literal["v1", "v2", "hybrid", "none"]

_NANOSECONDS = 1_000_000_000
_MICROSECONDS = 1_000_000

# v1 writes "no limit" as the greatest multiple of a page that a signed number can hold.
_UNLIMITED = 1 << 62


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the hierarchies are mounted: ``unified`` is v2's, ``controllers`` v1's by name."""

    unified: Path | None
    controllers: Mapping[str, Path]

    @property
    def mode(self) -> Mode:
        """Return which kind this is; v2 beside v1 is hybrid whatever it controls."""
        if not self.controllers:
            return "none" if self.unified is None else "v2"
        return "v1" if self.unified is None else "hybrid"

    def folder(self, controller: str, cgroup: str) -> Path | None:
        """Return where a cgroup's files for one controller are, or None without it."""
        root = self.controllers.get(controller, self.unified)
        return None if root is None else root / cgroup.lstrip("/")

    def folders(self, cgroup: str) -> Iterator[Path]:
        """Yield the folder of a cgroup in each hierarchy, there or not."""
        roots = dict.fromkeys(self.controllers.values())
        if self.unified is not None:
            roots[self.unified] = None
        for root in roots:
            yield root / cgroup.lstrip("/")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What the processes of a cgroup use; None where the kernel does not tell.

    ``cpu`` is seconds since the cgroup was made; ``memory`` bytes, the page cache that can
    be dropped at once left out; ``memory_limit`` None also means "no limit".
    """

    cpu: float | None
    memory: int | None
    memory_limit: int | None
    pids: int | None
    pids_limit: int | None


def detect() -> Layout:
    """Return the layout of this host, as far as it is mounted in our namespace."""
    unified = None
    controllers: dict[str, Path] = {}
    for entry in mounts.read_mounts():
        if entry.fstype == "cgroup2":
            unified = unified or entry.target
        elif entry.fstype == "cgroup":
            for option in entry.super_options.split(","):
                controllers.setdefault(option, entry.target)
    for option in ("rw", "ro", "xattr", "clone_children", "noprefix"):
        controllers.pop(option, None)
    return Layout(unified=unified, controllers=controllers)


def read_usage(layout: Layout, cgroup: str) -> Usage:
    """Return what a cgroup uses now; all None when it is not there."""
    memory, pids = layout.folder("memory", cgroup), layout.folder("pids", cgroup)
    is_v1 = "memory" in layout.controllers
    return Usage(
        cpu=_cpu(layout, cgroup),
        memory=_memory(memory, is_v1=is_v1),
        memory_limit=_number(memory, "memory.limit_in_bytes" if is_v1 else "memory.max"),
        pids=_number(pids, "pids.current"),
        pids_limit=_number(pids, "pids.max"),
    )


def read_oom_kills(layout: Layout, cgroup: str) -> int:
    """Return how many processes of a cgroup the kernel killed for want of memory; 0 if the
    cgroup is not there.

    v2 tells it in memory.events, v1 in memory.oom_control.
    """
    name = "memory.oom_control" if "memory" in layout.controllers else "memory.events"
    return _table(layout.folder("memory", cgroup), name).get("oom_kill", 0)


def _cpu(layout: Layout, cgroup: str) -> float | None:
    if "cpuacct" in layout.controllers:
        nanoseconds = _number(layout.folder("cpuacct", cgroup), "cpuacct.usage")
        return None if nanoseconds is None else nanoseconds / _NANOSECONDS
    microseconds = _table(layout.folder("cpu", cgroup), "cpu.stat").get("usage_usec")
    return None if microseconds is None else microseconds / _MICROSECONDS


def _memory(folder: Path | None, *, is_v1: bool) -> int | None:
    used = _number(folder, "memory.usage_in_bytes" if is_v1 else "memory.current")
    if used is None:
        return None
    inactive = _table(folder, "memory.stat").get(
        "total_inactive_file" if is_v1 else "inactive_file"
    )
    return max(0, used - (inactive or 0))


def _number(folder: Path | None, name: str) -> int | None:
    text = _text(folder, name).strip()
    if not text.isdigit() or int(text) >= _UNLIMITED:
        return None
    return int(text)


def _table(folder: Path | None, name: str) -> dict[str, int]:
    pairs = (line.split() for line in _text(folder, name).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _text(folder: Path | None, name: str) -> str:
    if folder is None:
        return ""
    try:
        return (folder / name).read_text()
    except OSError as exc:
        # ENODEV: the cgroup went away between open(2) and read(2).
        if exc.errno in (errno.ENOENT, errno.ENODEV):
            return ""
        raise


def list_processes(layout: Layout, cgroup: str) -> tuple[int, ...]:
    """Return the processes of a cgroup and of those below it, in any hierarchy."""
    found: set[int] = set()
    for folder in layout.folders(cgroup):
        for place, _, _ in os.walk(folder):
            found.update(int(line) for line in _text(Path(place), "cgroup.procs").split())
    return tuple(sorted(found))


def remove(layout: Layout, cgroup: str) -> None:
    """Remove a cgroup and those below it from all hierarchies. Idempotent.

    Raises KernelError with EBUSY while processes are in it.
    """
    for folder in layout.folders(cgroup):
        for place, _, _ in os.walk(folder, topdown=False):
            with kernel_errors("remove the cgroup", place):
                _remove_one(Path(place))


def _remove_one(folder: Path) -> None:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return
