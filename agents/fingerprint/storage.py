"""The disk."""

import os
from pathlib import Path

LOW_DISK_BYTES = 1 << 30


def disk(root: Path) -> int:
    """Return the size of the file system that holds ``root`` (statvfs(3))."""
    stat = os.statvfs(root)
    return stat.f_blocks * stat.f_frsize


def warnings(root: Path) -> tuple[str, ...]:
    """Return what a person should know about the storage of this host."""
    stat = os.statvfs(root)
    free = stat.f_bavail * stat.f_frsize
    if free < LOW_DISK_BYTES:
        return (f"Only {free // (1 << 20)} MiB are free on the disk that holds {root}.",)
    return ()
