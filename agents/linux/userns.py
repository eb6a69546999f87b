"""User namespaces: ranges of ids, and descriptors by which mounts are mapped to them.

A container sees the ids 0 to 65,535; on the host they are a range of 65,536 ids that nobody
else has, so that its root is nobody. An *idmapped mount* shows a folder with its ids moved
into that range, while on the disk they stay as they are; see user_namespaces(7) and
mount_setattr(2), "ID-mapped mounts".
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.linux import syscalls
from agents.linux.failures import kernel_errors

RANGE = 65_536


@contextmanager
def user_namespace(base: int) -> Iterator[int]:
    """Give a descriptor of a user namespace that maps the ids of a container at ``base``.

    It is for :func:`agents.linux.mounts.idmapped`. One id more is mapped: root of the host is
    65,536 on the disk, because overlayfs works in its folder as whoever mounted it.

    Raises NotSupportedError, KernelError.
    """
    with kernel_errors("make a user namespace"):
        fd = _make(f"0 {base} {RANGE}\n{RANGE} 0 1\n")
    try:
        yield fd
    finally:
        os.close(fd)


def _make(mapping: str) -> int:
    # A namespace lives as long as somebody is in it or has it open.
    pid = syscalls.clone_idle(syscalls.CLONE_NEWUSER)
    try:
        folder = Path(f"/proc/{pid}")
        for kind in ("uid_map", "gid_map"):
            (folder / kind).write_text(mapping)
        return os.open(folder / "ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        syscalls.end_idle(pid)


def subordinate_ranges() -> tuple[tuple[int, int], ...]:
    """Return the first id and the number of ids that subuid(5) and subgid(5) give to people."""
    lines: list[str] = []
    for path in (Path("/etc/subuid"), Path("/etc/subgid")):
        if path.is_file():
            lines += path.read_text().splitlines()
    fields = (line.split(":") for line in lines)
    return tuple(
        (int(one[1]), int(one[2]))
        for one in fields
        if len(one) == 3 and one[1].isdecimal() and one[2].isdecimal()
    )
