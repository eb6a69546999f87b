"""What an engine keeps in memory for ten containers that do nothing, beside Docker's."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from agents.config import CONFIG_NAME, load
from agents.errors import NotSupportedError
from benchmarks.docker.daemon import IMAGE, NETWORK, Daemon, docker
from benchmarks.figures import Figure, compared
from benchmarks.memory import MEGABYTE, size, total
from benchmarks.projects import bench_project
from tests.installed import InstalledPanel
from tests.native_engine import processes_of
from tests.waiting import wait_until

CONTAINERS = 10
# An engine that has just worked is not yet as small as it gets.
CALM = 3.0
RUNNING = "SELECT count(*) FROM services_container WHERE project = ? AND state = 'running'"
SERVICE = """\
  service{number}:
    image: busybox
    stop_grace_period: 0s
    command: ["sleep", "1000"]
"""
HELPERS = ("conmon", "dnsmasq")


def measure(panel: InstalledPanel) -> list[Figure]:
    """Run ten containers on one network, by the panel's agent and then by Docker."""
    ours, parts = _ours(panel)
    print("; ".join(f"{name} {size:.1f} MB" for name, size in parts.items()))
    try:
        with docker() as daemon:
            name, theirs = f"Docker Engine {daemon.version}", [_theirs(daemon)]
    except NotSupportedError as exc:
        print(exc.message)
        name, theirs = "", []
    what = f"memory with {CONTAINERS} containers, engine and helpers (PSS)"
    return [compared(what, "MB", [ours], theirs, name, least_ratio=2.0)]


def _ours(panel: InstalledPanel) -> tuple[float, dict[str, float]]:
    """Return the megabytes of agent, monitors and resolvers, together and each."""
    services = "".join(SERVICE.format(number=number) for number in range(CONTAINERS))
    database = f"file:{panel.home / 'panel.sqlite3'}?mode=ro"
    with (
        bench_project(panel.sign_in(), f"services:\n{services}") as project,
        closing(sqlite3.connect(database, uri=True, isolation_level=None)) as rows,
    ):
        project.deploy()
        wait_until(
            lambda: rows.execute(RUNNING, (project.name,)).fetchone()[0] == CONTAINERS,
            "the containers to run",
        )
        time.sleep(CALM)
        run = load(panel.home / "agent" / CONFIG_NAME).run
        parts = {name: _sum(_named(run, name)) for name in HELPERS}
        parts["agent"] = total([panel.pid("agent")], "Pss")
    return sum(parts.values()), parts


def _named(run: Path, name: str) -> list[int]:
    pids = processes_of(run)
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == name]


def _theirs(daemon: Daemon) -> float:
    wanted = {"Image": IMAGE, "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": NETWORK}}
    containers = [
        daemon.api.call("POST", "/containers/create", wanted)["Id"] for _ in range(CONTAINERS)
    ]
    for container in containers:
        daemon.api.call("POST", f"/containers/{container}/start")
    time.sleep(CALM)
    taken = _sum(daemon.pids)
    for container in containers:
        daemon.api.call("DELETE", f"/containers/{container}?force=1")
    return taken


def _sum(pids: list[int]) -> float:
    return sum(size(pid, "Pss") for pid in pids) / MEGABYTE
