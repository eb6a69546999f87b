"""Which hierarchies this host has, and where."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from agents.linux import mounts

Mode = Literal["v1", "v2", "hybrid", "none"]

_NO_CONTROLLERS = ("rw", "ro", "xattr", "clone_children", "noprefix")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the hierarchies are mounted: ``unified`` is v2's, ``controllers`` v1's by name."""

    unified: Path | None
    controllers: Mapping[str, Path]

    @property
    def mode(self) -> Mode:
        """Return which kind this is; v2 beside v1 is hybrid whatever it controls."""
        if not self.controllers:
            return "none" if self.unified is None else "v2"
        return "v1" if self.unified is None else "hybrid"

    def is_v1(self, controller: str) -> bool:
        """Return whether a controller has a v1 hierarchy."""
        return controller in self.controllers

    def folder(self, controller: str, cgroup: str) -> Path | None:
        """Return where a cgroup's files for one controller are, or None without it."""
        root = self.controllers.get(controller, self.unified)
        return None if root is None else root / cgroup.lstrip("/")

    def folders(self, cgroup: str) -> Iterator[Path]:
        """Yield the folder of a cgroup in each hierarchy, there or not."""
        roots = dict.fromkeys(self.controllers.values())
        if self.unified is not None:
            roots[self.unified] = None
        for root in roots:
            yield root / cgroup.lstrip("/")


@cache
def host_layout() -> Layout:
    """Return :func:`detect`'s answer of the first call: a layout stays until a reboot."""
    return detect()


def detect() -> Layout:
    """Return the layout of this host, as far as it is mounted in our namespace."""
    unified = None
    controllers: dict[str, Path] = {}
    for entry in mounts.read_mounts():
        if entry.fstype == "cgroup2":
            unified = unified or entry.target
        elif entry.fstype == "cgroup":
            for option in entry.super_options.split(","):
                controllers.setdefault(option, entry.target)
    for option in _NO_CONTROLLERS:
        controllers.pop(option, None)
    return Layout(unified=unified, controllers=controllers)
