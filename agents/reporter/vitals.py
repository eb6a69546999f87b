"""What a heartbeat says of the machine; cheap enough for every few seconds."""

import os
import time
from pathlib import Path

from agents.protocol.events import Heartbeat

KIBI = 1024


def heartbeat(root: Path, active_operations: tuple[str, ...]) -> Heartbeat:
    """Measure load, memory in use, and the use of the disk that holds ``root`` (bytes)."""
    return Heartbeat(
        at=time.time(),
        load=os.getloadavg()[0],
        memory_used=memory_used(),
        disk_used=disk_used(root),
        active_operations=active_operations,
    )


def memory_used() -> int:
    """Return the bytes that are not available to new programs (proc(5), meminfo)."""
    fields = meminfo()
    return fields.get("MemTotal", 0) - fields.get("MemAvailable", 0)


def meminfo() -> dict[str, int]:
    """Return the fields of /proc/meminfo, in bytes."""
    found: dict[str, int] = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[0]
        found[name] = int(number) * (KIBI if rest.endswith("kB") else 1)
    return found


def disk_used(root: Path) -> int:
    """Return the bytes in use on the file system of ``root`` (statvfs(3))."""
    stat = os.statvfs(root)
    return (stat.f_blocks - stat.f_bfree) * stat.f_frsize
