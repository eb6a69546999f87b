"""How the ids of a user namespace relate to the host's; see user_namespaces(7)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agents.linux.failures import kernel_errors

# What the kernel shows for an id that has no counterpart: nobody (/proc/sys/kernel/overflowuid).
OVERFLOW = 65_534


@dataclass(frozen=True)
class IdMap:
    """Ranges of ``(inside, outside, count)``."""

    ranges: tuple[tuple[int, int, int], ...]

    def outside(self, inside: int) -> int:
        """Return the host's id of one inside; ``OVERFLOW`` if it has none."""
        for first, host, count in self.ranges:
            if first <= inside < first + count:
                return host + inside - first
        return OVERFLOW

    def inside(self, outside: int) -> int:
        """Return the id inside of one of the host's; ``OVERFLOW`` if it has none."""
        for first, host, count in self.ranges:
            if host <= outside < host + count:
                return first + outside - host
        return OVERFLOW


@dataclass(frozen=True)
class IdMaps:
    """The maps of users and of groups."""

    users: IdMap
    groups: IdMap

    @classmethod
    def of(cls, pid: int) -> "IdMaps":
        """Return those of the user namespace that a process is in. Raises KernelError."""
        return cls(_read(pid, "uid_map"), _read(pid, "gid_map"))

    def owner_outside(self, uid: int, gid: int) -> tuple[int, int]:
        """Return the host's numbers of a user and group inside."""
        return self.users.outside(uid), self.groups.outside(gid)


def _read(pid: int, kind: Literal["uid_map", "gid_map"]) -> IdMap:
    path = Path(f"/proc/{pid}/{kind}")
    with kernel_errors("read", path):
        lines = path.read_text().splitlines()
    fields = (line.split() for line in lines)
    return IdMap(tuple((int(one[0]), int(one[1]), int(one[2])) for one in fields))


_ALL = IdMap(((0, 0, 2**32 - 1),))
# The host's own.
IDENTITY = IdMaps(_ALL, _ALL)
