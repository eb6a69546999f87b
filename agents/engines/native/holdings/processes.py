"""The first process of a container, and its namespaces, as /proc has them; see proc(5)."""

from collections.abc import Iterator
from pathlib import Path

from agents.engines.native.oci.capabilities import NAMES
from agents.linux.failures import kernel_errors
from agents.protocol.kernel import (
    CgroupHeld,
    IdRange,
    LimitHeld,
    NamespaceHeld,
    ProcessHeld,
    SeccompMode,
)

_KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_SETS = {
    "effective": "CapEff",
    "permitted": "CapPrm",
    "inheritable": "CapInh",
    "bounding": "CapBnd",
    "ambient": "CapAmb",
}
_SECCOMP: dict[str, SeccompMode] = {"1": "strict", "2": "filter"}
# The words of /proc/PID/limits, by the names of getrlimit(2) in lower case.
_LIMITS = {
    "Max cpu time": "cpu",
    "Max file size": "fsize",
    "Max data size": "data",
    "Max stack size": "stack",
    "Max core file size": "core",
    "Max resident set": "rss",
    "Max processes": "nproc",
    "Max open files": "nofile",
    "Max locked memory": "memlock",
    "Max address space": "as",
    "Max file locks": "locks",
    "Max pending signals": "sigpending",
    "Max msgqueue size": "msgqueue",
    "Max nice priority": "nice",
    "Max realtime priority": "rtprio",
    "Max realtime timeout": "rttime",
}


def read_process(pid: int) -> ProcessHeld:
    """Return what /proc tells of a process. Raises KernelError when it is gone."""
    folder = Path(f"/proc/{pid}")
    with kernel_errors("look at the process in", folder):
        lines = (line.partition(":") for line in (folder / "status").read_text().splitlines())
        status = {name: value.strip() for name, _, value in lines}
        return ProcessHeld(
            pid=pid,
            seccomp=_SECCOMP.get(status.get("Seccomp", "0"), "disabled"),
            no_new_privileges=status.get("NoNewPrivs") == "1",
            capabilities={name: _names(status[key]) for name, key in _SETS.items()},
            oom_score=int((folder / "oom_score").read_text()),
            oom_score_adj=int((folder / "oom_score_adj").read_text()),
            limits=tuple(_limits((folder / "limits").read_text())),
        )


def _names(mask: str) -> tuple[str, ...]:
    bits = int(mask, 16)
    return tuple(name for bit, name in enumerate(NAMES) if bits >> bit & 1)


def _limits(text: str) -> Iterator[LimitHeld]:
    for line in text.splitlines()[1:]:
        # Columns have fixed places: 26 characters, then twice 21.
        name = _LIMITS.get(line[:26].strip())
        if name:
            soft, hard = (_bound(line[start : start + 21]) for start in (26, 47))
            yield LimitHeld(name=name, soft=soft, hard=hard)


def _bound(text: str) -> int | None:
    return None if text.strip() == "unlimited" else int(text)


def read_namespaces(pid: int) -> tuple[NamespaceHeld, ...]:
    """Return the namespaces of a process. Raises KernelError."""
    return tuple(_namespaces(pid))


def _namespaces(pid: int) -> Iterator[NamespaceHeld]:
    with kernel_errors("look at the namespaces of", f"/proc/{pid}"):
        for kind in _KINDS:
            path = Path(f"/proc/{pid}/ns/{kind}")
            if path.exists():
                inode = path.stat().st_ino
                of_host = Path(f"/proc/self/ns/{kind}").stat().st_ino == inode
                yield NamespaceHeld(kind=kind, inode=inode, of_host=of_host)


def read_ids(pid: int, kind: str) -> tuple[IdRange, ...]:
    """Return the map of users (``uid``) or groups (``gid``); see user_namespaces(7)."""
    path = Path(f"/proc/{pid}/{kind}_map")
    with kernel_errors("read", path):
        rows = [[int(word) for word in line.split()] for line in path.read_text().splitlines()]
    return tuple(IdRange(inside=row[0], outside=row[1], size=row[2]) for row in rows)


def read_cgroups(pid: int) -> tuple[CgroupHeld, ...]:
    """Return where a process is in each hierarchy; see cgroups(7)."""
    path = Path(f"/proc/{pid}/cgroup")
    with kernel_errors("read", path):
        rows = [line.split(":", 2) for line in path.read_text().splitlines()]
    return tuple(CgroupHeld(hierarchy=row[1] or "v2", path=row[2]) for row in rows)
