"""Where limits are written: one cgroup in the layout of this host."""

from dataclasses import dataclass
from pathlib import Path

from agents.linux.cgroups import Layout, Setting


@dataclass(frozen=True, kw_only=True)
class Place:
    """A cgroup; it need not be there yet."""

    layout: Layout
    cgroup: str

    def is_v1(self, controller: str) -> bool:
        """Return whether a controller has a v1 hierarchy here."""
        return self.layout.is_v1(controller)

    def has(self, controller: str, file: str) -> bool:
        """Return whether the cgroup has a file."""
        folder = self.layout.folder(controller, self.cgroup)
        return folder is not None and (folder / file).exists()

    def parent_folder(self, controller: str) -> Path | None:
        """Return the folder of the cgroup above, for one controller."""
        folder = self.layout.folder(controller, self.cgroup)
        return None if folder is None else folder.parent


Settings = tuple[Setting, ...]
