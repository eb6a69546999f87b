"""What /proc tells of a process; see proc(5)."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LONGEST = 4096
# Documentation/admin-guide/devices.txt: Unix98 pseudo-terminals, eight times 256 of them.
_PTS = range(136, 144)


@dataclass(frozen=True, kw_only=True)
class ProcessInfo:
    """A process. ``inner_pid`` is its number in its own PID namespace, ``uid`` the host's.

    ``memory`` is bytes in RAM, ``cpu_time`` seconds, ``started_at`` seconds since the epoch,
    ``terminal`` such as ``pts/0`` or "".
    """

    pid: int
    inner_pid: int
    parent: int
    uid: int
    state: str
    threads: int
    memory: int
    cpu_time: float
    started_at: float
    terminal: str
    command: str


def read_process(pid: int) -> ProcessInfo | None:
    """Return what is known of a process now, None if it is not there."""
    folder = Path("/proc") / str(pid)
    try:
        stat = (folder / "stat").read_text()
        status = _fields((folder / "status").read_text())
        with (folder / "cmdline").open("rb") as file:
            command = file.read(_LONGEST)
    except (FileNotFoundError, ProcessLookupError):
        return None
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    # Field 3 of proc(5) is the first here.
    rest = stat[stat.rindex(")") + 1 :].split()
    words = command.rstrip(b"\0").decode(errors="replace").replace("\0", " ")
    return ProcessInfo(
        pid=pid,
        inner_pid=int(status.get("NSpid", str(pid)).split()[-1]),
        parent=int(rest[1]),
        # Of real, effective, saved and file system's, the one that counts.
        uid=int(status["Uid"].split()[1]),
        state=rest[0],
        threads=int(rest[17]),
        memory=int(rest[21]) * _PAGE,
        cpu_time=(int(rest[11]) + int(rest[12])) / _TICKS,
        started_at=_boot_time() + int(rest[19]) / _TICKS,
        terminal=_terminal(int(rest[4])),
        # What has no command line (a zombie) has at least a name.
        command=words or f"[{name}]",
    )


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in pairs}


def _terminal(device: int) -> str:
    # tty_nr: the minor number in bits 31 to 20 and 7 to 0, the major in 15 to 8.
    major, minor = device >> 8 & 0xFF, (device >> 12 & 0xFFF00) | (device & 0xFF)
    if major in _PTS:
        return f"pts/{(major - _PTS.start) * 256 + minor}"
    return f"{major}:{minor}" if device else ""


@cache
def _boot_time() -> int:
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1])
    return 0
