"""One supervisor (supervisord) for Redis, web, worker, beat and the agent."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from setup.places import CHECKOUT, Places
from setup.problem import Problem
from setup.run import run, step, succeeds

UNIT = Path("/etc/systemd/system")
PANEL = ("web", "worker", "beat")


def write_configuration(places: Places) -> None:
    """Write supervisord.conf; the agent is in it once this host has joined."""
    places.logs.mkdir(parents=True, exist_ok=True)
    places.run.mkdir(mode=0o711, parents=True, exist_ok=True)
    sections = [_daemon(places), *(_program(places, *entry) for entry in programs(places))]
    places.supervisor_config.write_text("\n".join(sections))


def programs(places: Places) -> list[tuple[str, str, int]]:
    """Return name, command line and order of start of each program."""
    python = quote(str(places.python))
    schedule, config = places.home / "beat-schedule", places.agent / "agent.json"
    celery = f"{python} -m celery -A webpanel"
    listed = [
        ("redis", _words(places.redis / "redis-server", places.redis / "redis.conf"), 10),
        ("web", f"{python} -m webpanel.serve", 20),
        (
            "worker",
            f"{celery} worker --pool threads --concurrency 4 --queues panel.default"
            " --without-gossip --without-mingle --without-heartbeat --loglevel INFO",
            20,
        ),
        ("beat", f"{celery} beat --loglevel INFO --schedule {_words(schedule)}", 30),
    ]
    if config.exists():
        listed.append(("agent", f"{python} -m agents run --config {_words(config)}", 40))
    return listed


def _words(*paths: Path) -> str:
    return " ".join(quote(str(path)) for path in paths)


def _daemon(places: Places) -> str:
    return f"""[unix_http_server]
file={places.supervisor_socket}
chmod=0700

[supervisord]
logfile={places.logs / "supervisor.log"}
logfile_maxbytes=5MB
user=root
umask=022
pidfile={places.run / "supervisor.pid"}
childlogdir={places.logs}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{places.supervisor_socket}
"""


def _program(places: Places, name: str, command: str, priority: int) -> str:
    """Return one section. Only the program itself is signalled, never its process group:
    containers must outlive the agent. Two malloc arenas keep a web process of several threads
    30 MB smaller than the default of eight for each processor, see mallopt(3).
    """
    environment = {
        "WEBPANEL_HOME": places.home,
        "DJANGO_SETTINGS_MODULE": "webpanel.settings.production",
        "PYTHONUNBUFFERED": 1,
        "MALLOC_ARENA_MAX": 2,
    }
    return f"""[program:{name}]
command={command.replace("%", "%%")}
directory={CHECKOUT}
environment={",".join(f'{key}="{value}"' for key, value in environment.items())}
priority={priority}
autorestart=true
startsecs=1
startretries=20
stopwaitsecs=15
stopasgroup=false
killasgroup=false
redirect_stderr=true
stdout_logfile={places.logs / f"{name}.log"}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


def is_running(places: Places) -> bool:
    """Tell whether our supervisor answers."""
    return places.supervisor_socket.exists() and succeeds(_control(places, "pid"))


def start(places: Places) -> None:
    """Start the supervisor, or bring a running one to its configuration."""
    if is_running(places):
        run(_control(places, "update"), failed="The supervisor did not take its configuration.")
        return
    with step("Starting the panel"):
        if Path("/run/systemd/system").is_dir():
            _start_by_systemd(places)
        else:
            run(
                [
                    str(places.python),
                    "-m",
                    "supervisor.supervisord",
                    "-c",
                    str(places.supervisor_config),
                ]
            )
        wait_until(lambda: is_running(places), 20, "The supervisor did not start.", places)


def restart(places: Places, names: tuple[str, ...]) -> None:
    """Start the named programs anew, those that run and those that gave up."""
    with step(f"Restarting {', '.join(names)}"):
        run(_control(places, "restart", *names), failed="Restarting failed.", do=log_advice(places))


def stop(places: Places) -> None:
    """Stop the supervisor with all its programs; containers go on."""
    unit = UNIT / f"webpanel-{places.name}.service"
    if unit.exists():
        run(["systemctl", "disable", "--now", unit.name])
        unit.unlink()
    if is_running(places):
        pid = int(run(_control(places, "pid")).strip())
        run(_control(places, "shutdown"))
        wait_until(
            lambda: not Path(f"/proc/{pid}").exists(), 30, "The supervisor did not stop.", places
        )


def _control(places: Places, *words: str) -> list[str]:
    return [
        str(places.python),
        "-m",
        "supervisor.supervisorctl",
        "-c",
        str(places.supervisor_config),
        *words,
    ]


def status_lines(places: Places) -> str:
    """Return what supervisorctl says of each program (it exits with 3 if one is down)."""
    return subprocess.run(
        _control(places, "status"), check=False, text=True, capture_output=True
    ).stdout


def wait_until(condition: Callable[[], bool], seconds: float, what: str, places: Places) -> None:
    """Wait for a condition with a deadline. Raises :class:`Problem`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Problem(what, log_advice(places))
        time.sleep(0.05)


def log_advice(places: Places) -> str:
    """Return where to look."""
    return f"Look at what it says: make logs (files in {places.logs})."


def _start_by_systemd(places: Places) -> None:
    """Install a unit, so that the panel comes back after a reboot.

    ``KillMode=process`` leaves conmon and the containers alone when the unit stops.
    """
    unit = UNIT / f"webpanel-{places.name}.service"
    unit.write_text(unit_text(places))
    run(["systemctl", "daemon-reload"])
    run(["systemctl", "enable", "--now", unit.name], failed="systemd did not start the panel.")


def unit_text(places: Places) -> str:
    """Return the unit file, see systemd.service(5)."""
    path = os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    return f"""[Unit]
Description=webpanel ({places.home})
After=network-online.target
Wants=network-online.target

[Service]
ExecStart="{places.python}" -m supervisor.supervisord -n -c "{places.supervisor_config}"
RuntimeDirectory={places.run.name}
RuntimeDirectoryMode=0711
RuntimeDirectoryPreserve=yes
Environment=PATH={path}
KillMode=process
Delegate=yes
Restart=on-failure
LimitNOFILE=infinity

[Install]
WantedBy=multi-user.target
"""
