"""Freezing all processes of a cgroup: v1's freezer, v2's ``cgroup.freeze``."""

import time
from pathlib import Path

from agents.errors import NotFoundError, NotSupportedError, TimedOutError
from agents.linux.cgroups.files import read_table, read_text
from agents.linux.cgroups.layout import Layout
from agents.linux.failures import kernel_errors

_DEADLINE = 10.0
_STEP = 0.001


def freeze(layout: Layout, cgroup: str) -> None:
    """Freeze a cgroup; returns once all of it stands still. Idempotent.

    Raises:
        TimedOutError: a process does not come to a halt (in an uninterruptible wait, say);
            the cgroup is thawed again.
        NotFoundError: there is no such cgroup.
        NotSupportedError: this host has no freezer. KernelError.
    """
    folder = _folder(layout, cgroup)
    is_v1 = layout.is_v1("freezer")
    end = time.monotonic() + _DEADLINE
    _write(folder, is_v1=is_v1, frozen=True)
    while not _is_frozen(folder, is_v1=is_v1):
        if time.monotonic() > end:
            _write(folder, is_v1=is_v1, frozen=False)
            raise TimedOutError(f"a process does not stand still within {_DEADLINE} seconds")
        time.sleep(_STEP)
        if is_v1:
            # freezer-subsystem.rst: a fork may slip through; writing again tries again.
            _write(folder, is_v1=is_v1, frozen=True)


def thaw(layout: Layout, cgroup: str) -> None:
    """Let a cgroup's processes go on. Idempotent. Raises as :func:`freeze` does."""
    _write(_folder(layout, cgroup), is_v1=layout.is_v1("freezer"), frozen=False)


def is_frozen(layout: Layout, cgroup: str) -> bool:
    """Return whether a cgroup is frozen or on its way; False if it is not there."""
    folder = layout.folder("freezer", cgroup)
    if layout.is_v1("freezer"):
        return read_text(folder, "freezer.self_freezing").strip() == "1"
    return read_text(folder, "cgroup.freeze").strip() == "1"


def _folder(layout: Layout, cgroup: str) -> Path:
    folder = layout.folder("freezer", cgroup)
    if folder is None:
        raise NotSupportedError("this host has no freezer for cgroups")
    if not folder.is_dir():
        raise NotFoundError(f"there is no cgroup {folder}")
    return folder


def _write(folder: Path, *, is_v1: bool, frozen: bool) -> None:
    name, words = ("freezer.state", ("THAWED", "FROZEN")) if is_v1 else ("cgroup.freeze", "01")
    with kernel_errors("freeze" if frozen else "thaw", folder):
        (folder / name).write_text(words[frozen])


def _is_frozen(folder: Path, *, is_v1: bool) -> bool:
    if is_v1:
        return read_text(folder, "freezer.state").strip() == "FROZEN"
    return read_table(folder, "cgroup.events").get("frozen") == 1
