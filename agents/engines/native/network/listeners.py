"""Which program of this host listens on a port."""

from collections.abc import Iterator
from pathlib import Path

from agents.linux.failures import kernel_errors


def find_listener(protocol: str, port: int) -> str:
    """Return "the program NAME (process N)" that has a port, or "" when that is not seen."""
    inodes = {f"socket:[{inode}]" for inode in _socket_inodes(protocol, port)}
    with kernel_errors("read", "/proc"):
        processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    for process in processes:
        if inodes and _has_any(process / "fd", inodes):
            return f"the program {_program(process)} (process {process.name})"
    return ""


def _socket_inodes(protocol: str, port: int) -> Iterator[str]:
    for table in (protocol, f"{protocol}6"):
        path = Path("/proc/thread-self/net") / table
        if not path.exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            fields = line.split()
            listens = protocol == "udp" or fields[3] == "0A"
            if listens and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _has_any(folder: Path, inodes: set[str]) -> bool:
    try:
        return any(str(entry.readlink()) in inodes for entry in folder.iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _program(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "?"
