"""Where the files of one container are."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

CONTAINERS = "containers"


# Others may pass through all that is above it, which cannot be said of an engine's own folder.
_PASSAGES = Path("/run/webpanel")
_SHORT = 12


def passages(root: Path) -> Path:
    """Return the folder in which an engine mounts root file systems.

    The runtime looks for them by path, as the container's root, who is nobody on the host.
    """
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()
    return _PASSAGES / name[:_SHORT]


@dataclass(frozen=True)
class ContainerPaths:
    """The folder that lasts (``state``), the one that a reboot may empty (``run``), and the
    one that its root file system is mounted in (``passage``).
    """

    state: Path
    run: Path
    passage: Path

    @classmethod
    def of(cls, root: Path, run: Path, container_id: str) -> "ContainerPaths":
        """Return the paths of a container of the engine with these folders."""
        return cls(
            root / CONTAINERS / container_id,
            run / CONTAINERS / container_id,
            passages(root) / container_id,
        )

    @property
    def manifest(self) -> Path:
        """What the container was made as."""
        return self.state / "container.json"

    @property
    def status(self) -> Path:
        """How it is now."""
        return self.state / "status.json"

    @property
    def log(self) -> Path:
        """What it wrote, as conmon keeps it."""
        return self.state / "output.log"

    @property
    def upper(self) -> Path:
        """Its own changes to the image's files."""
        return self.state / "upper"

    @property
    def work(self) -> Path:
        """The folder that overlayfs works in."""
        return self.state / "work"

    @property
    def rootfs(self) -> Path:
        """Where image and changes are mounted as one tree."""
        return self.passage / "rootfs"

    @property
    def shm(self) -> Path:
        """Where /dev/shm is mounted that it shares with others."""
        return self.passage / "shm"

    @property
    def etc(self) -> Path:
        """Files that are bound over those in its /etc."""
        return self.state / "etc"

    @property
    def bundle(self) -> Path:
        """The OCI bundle, with what conmon leaves there."""
        return self.run / "bundle"

    @property
    def config(self) -> Path:
        """The OCI configuration in the bundle."""
        return self.bundle / "config.json"

    @property
    def attach(self) -> Path:
        """Where the monitor lets people at its container, by packets."""
        return self.bundle / "attach"

    @property
    def control(self) -> Path:
        """What the monitor takes orders from, a fifo."""
        return self.bundle / "ctl"

    @property
    def network(self) -> Path:
        """What keeps its network namespace."""
        return self.run / "netns"

    @property
    def init_pid(self) -> Path:
        """The number of its first process, by conmon."""
        return self.run / "init.pid"

    @property
    def monitor_pid(self) -> Path:
        """The number of its conmon, by conmon."""
        return self.run / "conmon.pid"

    @property
    def health(self) -> Path:
        """What its health checks last said."""
        return self.run / "health.json"

    @property
    def health_process(self) -> Path:
        """How the runtime starts a health check."""
        return self.run / "health-process.json"

    @property
    def health_pid(self) -> Path:
        """The number of the health check that runs, by the runtime."""
        return self.run / "health.pid"

    @property
    def exits(self) -> Path:
        """The folder where conmon writes exit codes, each in a file named as its container.

        It is no part of ``run``, so that a code outlives the rest until its end is noted; and
        it is not on the disk, which may be full.
        """
        return self.run.parent.parent / "exits"
