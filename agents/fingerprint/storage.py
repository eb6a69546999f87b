"""The disk, and the kind of control groups."""

import os
from pathlib import Path
from typing import Literal

LOW_DISK_BYTES = 1 << 30
MOUNTS = Path("/proc/self/mounts")


def disk(root: Path) -> int:
    """Return the size of the file system that holds ``root`` (statvfs(3))."""
    stat = os.statvfs(root)
    return stat.f_blocks * stat.f_frsize


def cgroups(mounts: str | None = None) -> Literal["v1", "v2", "hybrid", "none"]:
    """Return how control groups are mounted (cgroups(7)); ``mounts`` is as in proc(5)."""
    text = MOUNTS.read_text() if mounts is None else mounts
    kinds = {line.split()[2] for line in text.splitlines() if len(line.split()) > 2}
    if {"cgroup", "cgroup2"} <= kinds:
        return "hybrid"
    if "cgroup2" in kinds:
        return "v2"
    return "v1" if "cgroup" in kinds else "none"


def warnings(root: Path) -> tuple[str, ...]:
    """Return what a person should know about the storage of this host."""
    stat = os.statvfs(root)
    free = stat.f_bavail * stat.f_frsize
    if free < LOW_DISK_BYTES:
        return (f"Only {free // (1 << 20)} MiB are free on the disk that holds {root}.",)
    return ()
