"""The mounts of a container, as its own mountinfo has them."""

import os
import re
from pathlib import Path

from agents.linux.failures import kernel_errors
from agents.linux.mounts import MountEntry, parse_mount
from agents.protocol.kernel import MountHeld

_LOWER = "lowerdir="
# A colon between folders, not one that belongs to a name.
_BETWEEN = re.compile(r"(?<!\\):")


def read_mounts(pid: int) -> tuple[MountHeld, ...]:
    """Return all mounts that a process sees, in the kernel's order. Raises KernelError."""
    path = Path(f"/proc/{pid}/mountinfo")
    with kernel_errors("read", path):
        text = os.fsdecode(path.read_bytes())
    return tuple(_held(parse_mount(line)) for line in text.splitlines())


def _held(entry: MountEntry) -> MountHeld:
    return MountHeld(
        target=str(entry.target),
        kind=entry.fstype,
        source=entry.source,
        root=entry.root,
        options=entry.options,
        source_options=entry.super_options,
    )


def layers_of(root: MountHeld | None) -> tuple[str, ...]:
    """Return the read-only folders of an overlay, lowest first."""
    if root is None or root.kind != "overlay":
        return ()
    for option in root.source_options.split(","):
        if option.startswith(_LOWER):
            folders = _BETWEEN.split(option.removeprefix(_LOWER))
            return tuple(reversed([one.replace("\\:", ":") for one in folders]))
    return ()
