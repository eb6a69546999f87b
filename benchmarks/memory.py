"""What the panel's programs keep in memory while nobody asks anything of them."""

import re
from pathlib import Path

from benchmarks.figures import Figure, measured
from tests.installed import InstalledPanel

MEGABYTE = 1e6


def measure(panel: InstalledPanel) -> list[Figure]:
    """Look at the programs of a panel that has worked and is idle now."""
    three = [panel.pid(name) for name in ("web", "worker", "beat")]
    agent = [panel.pid("agent")]
    return [
        measured("memory of web, worker and beat (RSS)", "MB", [total(three, "Rss")], bar=350),
        measured("memory of web, worker and beat (PSS)", "MB", [total(three, "Pss")]),
        measured("memory of the agent (RSS)", "MB", [total(agent, "Rss")], bar=80),
        measured("memory of the agent (PSS)", "MB", [total(agent, "Pss")]),
    ]


def total(pids: list[int], kind: str) -> float:
    """Return the megabytes of processes and of their own Python children.

    ``kind`` is a field of proc_pid_smaps_rollup, see proc(5).
    """
    return sum(size(each, kind) for pid in pids for each in _family(pid)) / MEGABYTE


def size(pid: int, kind: str) -> int:
    """Return the bytes of one process alone; ``kind`` as with :func:`total`."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(rf"^{kind}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def _family(pid: int) -> list[int]:
    """Return a process and what it forked; what monitors containers is not its child."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]
