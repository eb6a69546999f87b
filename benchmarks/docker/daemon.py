"""One dockerd in namespaces of its own: the host's network and firewall are not touched."""

import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.images.busybox import make_rootfs
from agents.linux import cgroups, process
from benchmarks.docker.api import DockerApi
from benchmarks.docker.packages import environment, unpack
from tests.waiting import wait_until

IMAGE = "busybox:latest"
NETWORK = "bench"
UP_SECONDS = 30.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """A dockerd that runs. ``folder`` holds all that it writes, ``leader`` is its parent."""

    folder: Path
    programs: Path
    leader: int
    api: DockerApi

    @property
    def socket(self) -> Path:
        return self.folder / "sock"

    @property
    def version(self) -> str:
        return str(self.api.call("GET", "/version")["Version"])

    @property
    def pids(self) -> list[int]:
        """dockerd, containerd, shims and proxies; the containers have namespaces of their own."""
        first = _children(self.leader)[0]
        own = _namespace(first)
        return [pid for pid in _processes() if _namespace(pid) == own]


@contextmanager
def docker() -> Iterator[Daemon]:
    """Start a dockerd with the image ``busybox`` and the network ``bench``.

    Afterwards nothing of it is left. Raises ``NotSupportedError`` where it cannot be fetched.
    """
    programs = unpack()
    # Short, as the path of a Unix socket may have 107 bytes; see unix(7).
    folder = Path(tempfile.mkdtemp(prefix="wpd-", dir="/var/tmp"))
    parent = f"/webpanel-docker-{secrets.token_hex(4)}"
    try:
        with (folder / "log").open("wb") as log:
            leader = process.spawn(
                _argv(folder, parent), stdout=log, stderr=log, env=environment(programs)
            )
        try:
            yield _ready(folder, programs, leader.pid)
        finally:
            _stop(leader)
    finally:
        cgroups.remove(cgroups.detect(), parent)
        shutil.rmtree(folder)


def _argv(folder: Path, cgroup_parent: str) -> tuple[str, ...]:
    """A network, mounts and process numbers of its own: with its first process all ends."""
    return (
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "tini",
        "--",
        "dockerd",
        f"--host=unix://{folder}/sock",
        f"--data-root={folder}/root",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        f"--cgroup-parent={cgroup_parent}",
    )


def _ready(folder: Path, programs: Path, leader: int) -> Daemon:
    api = DockerApi(folder / "sock")
    daemon = Daemon(folder=folder, programs=programs, leader=leader, api=api)
    try:
        wait_until(api.is_up, "dockerd to answer", UP_SECONDS)
    except AssertionError as exc:
        exc.add_note((folder / "log").read_text()[-4000:])
        raise
    api.send("POST", "/images/create?fromSrc=-&repo=busybox", make_rootfs(), "application/x-tar")
    api.call("POST", "/networks/create", {"Name": NETWORK})
    return daemon


def _stop(leader: process.Process[bytes]) -> None:
    for pid in _children(leader.pid):
        process.signal_process(pid, signal.SIGTERM)
    try:
        leader.wait(STOP_SECONDS)
    finally:
        leader.kill()
        leader.wait()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""
