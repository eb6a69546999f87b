"""Starts and stops the agent as a service of its host: by systemd, or else by itself."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agents.config import AgentConfig
from agents.errors import ConflictError, TimedOutError
from agents.linux import process
from agents.state.database import is_locked

UNIT = Path("/etc/systemd/system/webpanel-agent.service")
SYSTEMD = Path("/run/systemd/system")
LOG_NAME = "agent.log"
PID_NAME = "agent.pid"
# An agent stops within five seconds.
STOP_SECONDS = 10.0
START_SECONDS = 20.0


def start(found: AgentConfig, path: Path, *, by_systemd: bool) -> str:
    """Start the agent of ``path``, or start it anew; return where it runs, as a sentence.

    Blocks until it works. With ``by_systemd`` it comes back after a reboot.

    Raises:
        ConflictError: an agent runs that was not started by this.
        TimedOutError: it ended at once; says where to look.
        ProgramError: what systemd says.
    """
    argv = [sys.executable, "-m", "agents", "run", "--config", str(path)]
    stop(found, path)
    if is_locked(found.root):
        raise ConflictError(
            f"an agent works on {found.root} already", hint="Stop it the way that it was started."
        )
    if by_systemd:
        _start_unit(argv)
        _await_work(found, lambda: True, f"journalctl -u {UNIT.name}")
        return f"The agent runs as {UNIT.name}."
    pid = _start_detached(found, argv)
    log = found.root / LOG_NAME
    _await_work(found, lambda: process.is_running(pid), str(log))
    return (
        f"The agent runs by itself (process {pid}, log {log}), as there is no systemd."
        " Start it after a reboot: webpanel-agent start"
    )


def stop(found: AgentConfig, path: Path) -> None:
    """Stop what :func:`start` started; containers go on. Idempotent; blocks."""
    if has_systemd() and UNIT.exists() and f"--config {path}" in UNIT.read_text():
        process.run(["systemctl", "stop", UNIT.name])
    pid_file = found.run / PID_NAME
    pid = _read_number(pid_file)
    if pid and _is_agent(pid, path):
        process.stop(pid, grace=STOP_SECONDS)
    pid_file.unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Remove the unit of the agent of ``path``. Idempotent."""
    if has_systemd() and UNIT.exists() and f"--config {path}" in UNIT.read_text():
        process.run(["systemctl", "disable", "--now", UNIT.name])
        UNIT.unlink()
        process.run(["systemctl", "daemon-reload"])


def has_systemd() -> bool:
    """Tell whether systemd runs this host, see sd_booted(3)."""
    return SYSTEMD.is_dir()


def unit_text(argv: list[str]) -> str:
    """Return the unit, see systemd.service(5).

    ``KillMode=process`` and ``Delegate=yes`` leave conmon and the containers alone when the
    agent stops.
    """
    return f"""[Unit]
Description=webpanel agent
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={" ".join(argv)}
KillMode=process
Delegate=yes
Restart=always
RestartSec=2
LimitNOFILE=infinity

[Install]
WantedBy=multi-user.target
"""


def _start_unit(argv: list[str]) -> None:
    UNIT.write_text(unit_text(argv))
    process.run(["systemctl", "daemon-reload"])
    process.run(["systemctl", "enable", UNIT.name])
    process.run(["systemctl", "restart", UNIT.name])


def _start_detached(found: AgentConfig, argv: list[str]) -> int:
    found.run.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (found.root / LOG_NAME).open("ab") as log:
        output = log.fileno()
        started = process.spawn(argv, stdout=output, stderr=output, cwd=Path("/"))
    (found.run / PID_NAME).write_text(f"{started.pid}\n")
    return started.pid


def _await_work(found: AgentConfig, lives: Callable[[], bool], log: str) -> None:
    """Wait until the agent holds its state."""
    deadline = time.monotonic() + START_SECONDS
    while not is_locked(found.root):
        if time.monotonic() > deadline or not lives():
            raise TimedOutError("the agent did not start", hint=f"See what it says: {log}")
        time.sleep(0.05)


def _read_number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _is_agent(pid: int, path: Path) -> bool:
    """Tell whether the process is the agent and not another that got its number."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(path) in words and b"run" in words
