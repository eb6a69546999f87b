"""A second machine: namespaces of its own, and none of this machine's files that matter."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.installed import ROOT
from tests.integration.lan import Lan, make_namespace
from tests.waiting import wait_until

# Folders with content of the machine's own, on a disk that overlayfs can stand on.
OWN_FOLDERS = ("/var/lib", "/opt", "/usr/local/bin", "/etc/systemd/system")
# Empty ones in memory. The checkout is hidden: nothing may come from there.
EMPTY_FOLDERS = ("/run", "/tmp", "/var/tmp", "/root", str(ROOT))
PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The first process takes in orphans, as conmon's are, and lets go of them when they end.
INIT = """
import signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
open('/run/up', 'w')
while True:
    signal.pause()
"""


@dataclass(frozen=True)
class Machine:
    """A running machine; ``init`` is its first process as this machine numbers it."""

    name: str
    namespace: str
    disk: Path
    init: int

    def sh(self, line: str, *, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run a line in a shell of root there, with nothing of our environment."""
        return subprocess.run(
            [
                *("nsenter", "--target", str(self.init), "--root", "--wd=/"),
                *("--mount", "--uts", "--ipc", "--net", "--pid", "--"),
                *("/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/root", "sh", "-c", line),
            ],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def ok(self, line: str) -> str:
        """Run a line that must succeed and return what it wrote."""
        done = self.sh(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}\n{self.log()}"
        return done.stdout

    def log(self) -> str:
        """Return the end of what the agent there has logged."""
        path = self.disk / "var/lib/webpanel-agent/agent.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def listing(self) -> list[str]:
        """Return what the agent's installer may have left behind."""
        return self.ok(
            "ls -d /opt/* /var/lib/* /run/webpanel-agent* /usr/local/bin/* /etc/systemd/system/*"
            " 2>/dev/null || true"
        ).split()


@contextmanager
def make_machine(lan: Lan, name: str, number: int) -> Iterator[Machine]:
    """A machine on ``lan``; afterwards nothing of it is left, whatever was done in it."""
    with ExitStack() as undo:
        namespace = f"{lan.router}-{number}"
        make_namespace(undo, namespace)
        lan.connect(namespace, number)
        disk = Path(tempfile.mkdtemp(prefix="machine-", dir="/var/tmp"))
        undo.callback(shutil.rmtree, disk)
        undo.callback(_remove_cgroups, disk)
        yield Machine(name, namespace, disk, _boot(undo, namespace, disk, name))


def _boot(undo: ExitStack, namespace: str, disk: Path, name: str) -> int:
    """Start the first process and return its number; ``undo`` kills it and so all others."""
    # Not by `ip netns exec`, which mounts a /sys without control groups.
    words = ["nsenter", f"--net=/run/netns/{namespace}", "unshare", "--mount", "--uts", "--ipc"]
    words += [
        "--pid",
        "--fork",
        "--kill-child",
        "--propagation=private",
        "--mount-proc",
        "sh",
        "-ec",
    ]
    process = subprocess.Popen([*words, _script(disk, name)], stdin=subprocess.DEVNULL)
    undo.callback(process.wait, 20)
    undo.callback(process.terminate)
    wait_until(lambda: _child_of(process.pid) != 0, "the first process")
    init = _child_of(process.pid)
    undo.callback(_kill, init)
    wait_until(lambda: Path(f"/proc/{init}/root/run/up").exists(), "the machine to be up")
    return init


def _script(disk: Path, name: str) -> str:
    lines = [f"hostname {name}"]
    for folder in OWN_FOLDERS:
        (disk / folder.strip("/")).mkdir(parents=True)
        lines.append(f"mount --bind {disk}{folder} {folder}")
    for folder in EMPTY_FOLDERS:
        # The checkout may lie in a folder that is hidden by now.
        lines += [f"mkdir -p '{folder}'", f"mount -t tmpfs -o mode=755 tmpfs '{folder}'"]
    return "\n".join([*lines, f'cd /; exec /usr/bin/python3 -c "{INIT}"'])


def _child_of(pid: int) -> int:
    """Return the only child of a process, or 0."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(listed[0]) if listed else 0


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _remove_cgroups(disk: Path) -> None:
    """Remove what containers that were killed with their machine left: empty folders."""
    for config in disk.glob("var/lib/*/agent.json"):
        uid = json.loads(config.read_text())["uid"]
        for folder in Path("/sys/fs/cgroup").glob(f"**/webpanel-{uid}"):
            for path in [*sorted(folder.rglob("*/"), reverse=True), folder]:
                wait_until(lambda path=path: _gone(path), f"{path} to be empty")


def _gone(path: Path) -> bool:
    with suppress(FileNotFoundError):
        try:
            path.rmdir()
        except OSError:
            return False
    return True
