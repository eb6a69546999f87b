"""Which capabilities a container gets; see capabilities(7)."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from agents.errors import InvalidInputError, NotSupportedError

# In the order of their numbers in linux/capability.h.
NAMES = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]

# The set that images are written for: what Docker gives by default.
DEFAULT = frozenset(
    [
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
    ]
)


@cache
def available() -> frozenset[str]:
    """Return the capabilities that the agent itself may hand on, without ``CAP_``."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            bits = int(line.split()[1], 16)
            return frozenset(name for bit, name in enumerate(NAMES) if bits >> bit & 1)
    return frozenset()


def choose(
    *, add: Iterable[str] = (), drop: Iterable[str] = (), privileged: bool = False
) -> tuple[str, ...]:
    """Return the names, with ``CAP_`` and sorted, of the capabilities of a container.

    ``ALL`` may be added or dropped, as in compose files; what is dropped and added by name
    is there, because a name says more than ``ALL``.

    Raises:
        InvalidInputError: there is no such capability.
        NotSupportedError: it was asked for by name, and the agent has it not itself.
    """
    added, dropped = _names(add, "cap_add"), _names(drop, "cap_drop")
    chosen = set(available()) if privileged or "ALL" in added else set(DEFAULT & available())
    chosen = set() if "ALL" in dropped else chosen - dropped
    wanted = added - {"ALL"}
    missing = wanted - available()
    if missing:
        raise NotSupportedError(
            f"this host cannot give the capability {', '.join(sorted(missing))}", field="cap_add"
        )
    return tuple(sorted(f"CAP_{name}" for name in chosen | wanted))


def _names(given: Iterable[str], field: str) -> set[str]:
    names = {name.upper().removeprefix("CAP_") for name in given}
    unknown = names - set(NAMES) - {"ALL"}
    if unknown:
        raise InvalidInputError(f"there is no capability {', '.join(sorted(unknown))}", field=field)
    return names
