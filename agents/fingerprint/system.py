"""Name, operating system, kernel, processors, memory."""

import os
import platform
from pathlib import Path

from agents.reporter.vitals import meminfo


def hostname() -> str:
    """Return the machine's own name."""
    return os.uname().nodename


def distribution() -> str:
    """Return the distribution's name for people (os-release(5)), as "Debian GNU/Linux 12"."""
    try:
        found = platform.freedesktop_os_release()
    except OSError:
        return os.uname().sysname
    return found.get("PRETTY_NAME", found["NAME"])


def kernel() -> str:
    """Return the kernel's release, as "6.1.0-18-amd64"."""
    return os.uname().release


def architecture() -> str:
    """Return the machine's kind, as "x86_64"."""
    return os.uname().machine


def cpus() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def memory() -> int:
    """Return the memory in bytes."""
    return meminfo().get("MemTotal", 0)


def booted_at() -> float:
    """Return when the machine was started (proc(5), btime)."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0
