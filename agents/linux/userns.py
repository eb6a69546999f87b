"""User namespaces: ranges of ids, and descriptors by which mounts are mapped to them.

A container sees the ids 0 to 65,535; on the host they are a range of 65,536 ids that nobody
else has, so that its root is nobody. An *idmapped mount* shows a folder with its ids moved
into that range, while on the disk they stay as they are; see user_namespaces(7) and
mount_setattr(2), "ID-mapped mounts".
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

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
    with _idle(syscalls.CLONE_NEWUSER, mapping) as pid:
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def _idle(flags: int, mapping: str) -> Iterator[int]:
    pid = syscalls.clone_idle(flags)
    try:
        for kind in ("uid_map", "gid_map") if mapping else ():
            Path(f"/proc/{pid}/{kind}").write_text(mapping)
        yield pid
    finally:
        syscalls.end_idle(pid)


@contextmanager
def new_namespaces(base: int) -> Iterator[Mapping[Literal["network", "user"], Path]]:
    """Give paths of a new network namespace and, unless ``base`` is 0, of the new user namespace
    that it belongs to. Others can join them by these; both go at the end, or with us.

    Raises KernelError.
    """
    files = {"network": "net", "user": "user"} if base else {"network": "net"}
    flags = syscalls.CLONE_NEWNET | (syscalls.CLONE_NEWUSER if base else 0)
    mapping = f"0 {base} {RANGE}\n" if base else ""
    with ExitStack() as stack:
        with kernel_errors("make namespaces"), _idle(flags, mapping) as pid:
            opened = {kind: _open(f"/proc/{pid}/ns/{name}", stack) for kind, name in files.items()}
        ours = Path(f"/proc/{os.getpid()}/fd")
        paths: dict[Literal["network", "user"], Path] = {"network": ours / str(opened["network"])}
        yield {**paths, "user": ours / str(opened["user"])} if base else paths


def _open(path: str, stack: ExitStack) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, fd)
    return fd


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
