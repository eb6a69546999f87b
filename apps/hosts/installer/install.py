"""Makes this machine a host of a panel: ``python3 install.py --panel … --token … --ca-sha256 …``.

The panel serves this file and its "Add host" page makes the line that runs it. It needs
Python 3.9 for its own sentences and 3.11 for the agent, and no other package. It is safe
to run again, and undoes what it began when it fails. It fetches over TLS from the panel
alone, checked by the pin of the panel's certificate authority, and verifies each wheel.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

OLDEST_PYTHON = (3, 11)
OLDEST_KERNEL = (5, 10)
UNIT = Path("/etc/systemd/system/webpanel-agent.service")
# A program that shows that the package is there, and the package that has it.
PACKAGES = {
    "crun": "crun",
    "conmon": "conmon",
    "nft": "nftables",
    "ip": "iproute2",
    "busybox": "busybox-static",
    "dnsmasq": "dnsmasq-base",
}
STOP_SECONDS = 10.0


class Problem(Exception):
    """Something that a person must mend; ``do`` says how."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what} {do}".strip())


def main() -> None:
    """Run, and end with one clear sentence if something is wrong."""
    options = read_options()
    try:
        install(options)
    except Problem as problem:
        fail(str(problem))
    except KeyboardInterrupt:
        fail("Stopped; what was begun is undone.")


def read_options() -> argparse.Namespace:
    """Read the command line; the words that the panel's line has are required."""
    parser = argparse.ArgumentParser(description="Make this machine a host of a web panel.")
    parser.add_argument("--panel", required=True, metavar="URL")
    parser.add_argument("--token", required=True, help="the one-time join token")
    parser.add_argument("--ca-sha256", required=True, metavar="HEX", help="pins the panel's CA")
    parser.add_argument("--name", default="", help="the host's name (default: its own)")
    parser.add_argument("--prefix", type=Path, default=Path("/opt/webpanel-agent"))
    parser.add_argument("--root", type=Path, default=Path("/var/lib/webpanel-agent"))
    parser.add_argument("--run", type=Path, default=Path("/run/webpanel-agent"))
    parser.add_argument("--no-service", action="store_true", help="install no systemd unit")
    parser.add_argument("--no-start", action="store_true", help="install and join only")
    return parser.parse_args()


def install(options: argparse.Namespace) -> None:
    """Do all steps, each of which does nothing where it was done before."""
    check_machine()
    install_packages()
    panel = Panel(options.panel, options.ca_sha256)
    python = install_agent(panel, options.prefix)
    join(python, options)
    seed_image(python, options)
    if not options.no_start:
        start(python, options)
    say(f"This machine is a host of {options.panel} now.")


def check_machine() -> None:
    """Refuse early, and say why."""
    if os.geteuid() != 0:
        raise Problem("This must run as root.", "Put sudo before python3.")
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise Problem(
            f"Python {found} is too old; the agent needs 3.11.", "Use Debian 12 or newer."
        )
    release = read_release()
    if not {"debian", "ubuntu"} & {*release.get("ID_LIKE", "").split(), release.get("ID", "")}:
        name = release.get("PRETTY_NAME", "This system")
        raise Problem(f"{name} is not supported yet.", "Use Debian 12 or a newer Debian or Ubuntu.")
    kernel = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if kernel and (int(kernel[1]), int(kernel[2])) < OLDEST_KERNEL:
        raise Problem(f"The kernel {os.uname().release} is too old.", "5.10 or newer is needed.")


def read_release() -> dict[str, str]:
    """Return what os-release(5) says."""
    path = Path("/etc/os-release")
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: value.strip().strip("\"'") for key, value in pairs}


def install_packages() -> None:
    """Install by apt what is missing, and only that."""
    missing = [package for program, package in PACKAGES.items() if not find_program(program)]
    if not has_venv():
        missing.append("python3-venv")
    if not missing:
        return
    say(f"Installing {', '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
    do = "Mend what apt-get says above, then run the line again."
    run([*apt, "update"], "apt-get update failed.", do, environment)
    words = [*apt, "install", "--yes", "--no-install-recommends", *missing]
    run(words, "Installing packages failed.", do, environment)


def find_program(name: str) -> str | None:
    """Find a program, also where root's PATH may not lead."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"
    return shutil.which(name, path=path)


def has_venv() -> bool:
    """Tell whether Python can make environments with pip (Debian splits that off)."""
    words = [sys.executable, "-c", "import venv, ensurepip"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


class Panel:
    """The panel's ``/agent/`` over TLS, trusted by the pin of its authority."""

    def __init__(self, url: str, ca_sha256: str) -> None:
        if urllib.parse.urlsplit(url).scheme != "https":
            raise Problem(f"{url} is not an https:// address.", "Copy the line again.")
        self.url = url.rstrip("/")
        # Nothing is trusted yet: only what fits the pin is used.
        pem = self._read("ca.pem", ssl._create_unverified_context()).decode()  # noqa: S323
        found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        if found != ca_sha256.lower():
            raise Problem(
                f"{url} is not the panel that made this line: its certificate differs.",
                "Make a new line in the panel. If that does not help, somebody may be in between.",
            )
        self.context = ssl.create_default_context(cadata=pem)

    def read(self, name: str) -> bytes:
        """Return a file below ``/agent/``."""
        return self._read(name, self.context)

    def _read(self, name: str, context: ssl.SSLContext) -> bytes:
        address = f"{self.url}/agent/{name}"
        try:
            with urllib.request.urlopen(address, timeout=60, context=context) as reply:  # noqa: S310
                return bytes(reply.read())
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise Problem(f"{address} cannot be fetched: {reason}.") from error


def install_agent(panel: Panel, prefix: Path) -> Path:
    """Make the agent's environment from the panel's wheels; return its Python."""
    sums = panel.read("wheels/SHA256SUMS").decode()
    digest = hashlib.sha256(sums.encode()).hexdigest()[:12]
    environment = prefix / f"venv-{digest}"
    python = environment / "bin" / "python"
    if not (environment / "complete").exists():
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, environment, ignore_errors=True)
            make_environment(panel, parse_sums(sums), environment)
            undo.pop_all()
    switch(prefix / "venv", environment)
    for old in prefix.glob("venv-*"):
        if old != environment:
            shutil.rmtree(old, ignore_errors=True)
    return python


def parse_sums(text: str) -> dict[str, str]:
    """Return name to SHA-256 of each wheel, from sha256sum(1)'s form."""
    found = re.findall(r"^([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._+-]*\.whl)$", text, re.MULTILINE)
    if not found:
        raise Problem("The panel has no wheels to give.", "Run `make up` on the panel's machine.")
    return {name: digest for digest, name in found}


def make_environment(panel: Panel, sums: dict[str, str], environment: Path) -> None:
    """Fetch the wheels, verify them, and install them without any other source."""
    say("Installing the agent")
    shutil.rmtree(environment, ignore_errors=True)
    environment.parent.mkdir(parents=True, exist_ok=True)
    failed = "Making the agent's environment failed."
    run([sys.executable, "-m", "venv", str(environment)], failed)
    wheels = environment / "wheels"
    wheels.mkdir()
    for name, digest in sums.items():
        fetch_wheel(panel, wheels / name, digest)
    (wheels / "requirements.txt").write_text(requirements(sums))
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-index"]
    pip += ["--disable-pip-version-check", "--no-deps", "--require-hashes"]
    words = [*pip, "--find-links", str(wheels), "-r", str(wheels / "requirements.txt")]
    version = ".".join(map(str, sys.version_info[:2]))
    run(
        words, "Installing the agent failed.", f"The panel may have no wheels for Python {version}."
    )
    shutil.rmtree(wheels)
    (environment / "complete").touch()


def fetch_wheel(panel: Panel, path: Path, digest: str) -> None:
    """Fetch one wheel and check it against the sum that came over verified TLS."""
    content = panel.read(f"wheels/{urllib.parse.quote(path.name)}")
    if hashlib.sha256(content).hexdigest() != digest:
        raise Problem(f"{path.name} does not fit its checksum.", "Run `make up` on the panel.")
    path.write_bytes(content)


def requirements(sums: dict[str, str]) -> str:
    """Return pip's requirements with hashes: a wheel's name begins with name and version.

    Of several wheels of one package, for other Pythons or machines, pip picks the fitting.
    """
    hashes: dict[tuple[str, str], list[str]] = {}
    for name, digest in sums.items():
        package, version = name.split("-")[:2]
        hashes.setdefault((package, version), []).append(f"--hash=sha256:{digest}")
    lines = (f"{key[0]}=={key[1]} {' '.join(found)}\n" for key, found in sorted(hashes.items()))
    return "".join(lines)


def switch(link: Path, target: Path) -> None:
    """Point a symbolic link elsewhere in one step."""
    new = link.with_name(link.name + ".new")
    new.unlink(missing_ok=True)
    new.symlink_to(target.name)
    new.replace(link)


def join(python: Path, options: argparse.Namespace) -> None:
    """Join the panel, unless this machine has."""
    if (options.root / "agent.json").exists():
        say("This machine has joined before; its place in the panel is kept.")
        return
    say("Joining the panel")
    words = [str(python), "-m", "agents", "join", "--panel", options.panel]
    words += ["--token", options.token, "--ca-sha256", options.ca_sha256]
    words += ["--root", str(options.root), "--run", str(options.run)]
    if options.name:
        words += ["--name", options.name]
    run(words, "The panel did not take this machine in.")


def seed_image(python: Path, options: argparse.Namespace) -> None:
    """Make the base image of the machine's own busybox; idempotent."""
    config = str(options.root / "agent.json")
    words = [str(python), "-m", "agents", "image", "seed", "--config", config]
    run(words, "The base image could not be made.")


def start(python: Path, options: argparse.Namespace) -> None:
    """Start the agent, or start it anew with what was installed."""
    stable = options.prefix / "venv" / "bin" / "python"
    words = [str(stable), "-m", "agents", "run", "--config", str(options.root / "agent.json")]
    if Path("/run/systemd/system").is_dir() and not options.no_service:
        start_unit(words)
    else:
        start_detached(words, options)


def start_unit(words: list[str]) -> None:
    """Install and start a unit, see systemd.service(5); containers outlive the agent."""
    UNIT.write_text(
        "[Unit]\nDescription=webpanel agent\nAfter=network-online.target\n"
        "Wants=network-online.target\n\n"
        f"[Service]\nExecStart={' '.join(words)}\nKillMode=process\nDelegate=yes\n"
        "Restart=always\nRestartSec=2\nLimitNOFILE=infinity\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    run(["systemctl", "daemon-reload"], "systemd does not answer.")
    run(["systemctl", "enable", UNIT.name], "The unit could not be enabled.")
    run(
        ["systemctl", "restart", UNIT.name],
        "The agent did not start.",
        "See journalctl -u webpanel-agent.",
    )
    say(f"The agent runs as {UNIT.name}.")


def start_detached(words: list[str], options: argparse.Namespace) -> None:
    """Start the agent by itself; without systemd nothing starts it after a reboot."""
    options.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid_file = options.run / "agent.pid"
    stop_running(pid_file)
    log = options.root / "agent.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
        )
    pid_file.write_text(f"{process.pid}\n")
    say(
        f"There is no systemd here, so the agent runs by itself (process {process.pid}, log {log})."
    )
    say(f"Start it after a reboot: {' '.join(words)}")


def stop_running(pid_file: Path) -> None:
    """Stop the agent that an earlier run of this script started."""
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().strip() or 0)
    deadline = time.monotonic() + STOP_SECONDS
    while is_agent(pid) and time.monotonic() < deadline:
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.2)
    if is_agent(pid):
        os.kill(pid, signal.SIGKILL)


def is_agent(pid: int) -> bool:
    """Tell whether the process is an agent and not another that got its number."""
    path = Path(f"/proc/{pid}/cmdline")
    try:
        return b"agents\0run" in path.read_bytes()
    except OSError:
        return False


def run(
    words: list[str], failed: str, do: str = "", environment: dict[str, str] | None = None
) -> None:
    """Run a program whose words go to the terminal; raises :class:`Problem`."""
    try:
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, env=environment)
    except FileNotFoundError as error:
        raise Problem(f"{words[0]} is not installed.", do) from error
    except subprocess.CalledProcessError as error:
        raise Problem(failed, do) from error


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fail(text: str) -> NoReturn:
    """End with a sentence on stderr."""
    sys.stderr.write(f"webpanel: {text}\n")
    raise SystemExit(1)


# exec() of the downloaded text has this name too, see the page "Add host".
if __name__ == "__main__":
    main()
