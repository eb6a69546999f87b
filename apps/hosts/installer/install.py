"""Makes this machine a host of a panel: ``python3 install.py --panel … --token … --ca-sha256 …``.

The panel serves this file and its "Add host" page makes the line that runs it. It needs
Python 3.9 for its own sentences and 3.11 for the agent, and no other package. It is safe
to run again, which brings the agent up to date. When it fails before the panel has taken
the machine in, it leaves nothing but packages of the distribution. It fetches over TLS from
the panel alone, checked by the pin of the panel's authority, and verifies each wheel.
"""

from __future__ import annotations

import argparse
import email.utils
import hashlib
import json
import os
import re
import shutil
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
# A program that shows that the package is there, and the package that has it.
PACKAGES = {
    "crun": "crun",
    "conmon": "conmon",
    "nft": "nftables",
    "ip": "iproute2",
    "busybox": "busybox-static",
    "dnsmasq": "dnsmasq-base",
    "tini-static": "tini",
}
PREFIX = Path("/opt/webpanel-agent")
COMMAND = Path("/usr/local/bin/webpanel-agent")
LEAVE = "webpanel-agent stop; webpanel-agent leave"
CLOCK_SKEW_SECONDS = 120.0


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
    except OSError as error:
        fail(f"{error}. Mend that, then run the line again.")
    except KeyboardInterrupt:
        fail("Stopped; what was begun is undone.")


def read_options() -> argparse.Namespace:
    """Read the command line; the words that the panel's line has are required."""
    parser = argparse.ArgumentParser(description="Make this machine a host of a web panel.")
    parser.add_argument("--panel", required=True, metavar="URL")
    parser.add_argument("--token", required=True, help="the one-time join token")
    parser.add_argument("--ca-sha256", required=True, metavar="HEX", help="pins the panel's CA")
    parser.add_argument("--name", default="", help="the host's name (default: its own)")
    parser.add_argument("--prefix", type=Path, default=PREFIX)
    parser.add_argument("--root", type=Path, default=Path("/var/lib/webpanel-agent"))
    parser.add_argument("--run", type=Path, default=Path("/run/webpanel-agent"))
    parser.add_argument("--no-service", action="store_true", help="install no systemd unit")
    parser.add_argument("--no-start", action="store_true", help="install and join only")
    return parser.parse_args()


def install(options: argparse.Namespace) -> None:
    """Do all steps, each of which does nothing where it was done before."""
    check_machine()
    check_membership(options)
    panel = Panel(options.panel, options.ca_sha256)
    check_token(panel, options)
    sums = parse_sums(panel.read("wheels/SHA256SUMS").decode())
    install_packages()
    with ExitStack() as undo:
        environment = install_agent(panel, sums, options.prefix, undo)
        join(environment / "bin" / "python", options, undo)
        undo.pop_all()
    switch(options.prefix, environment)
    seed_image(options)
    if not options.no_start:
        start(options)
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
    path = Path("/etc/os-release")
    check_system(parse_release(path.read_text() if path.exists() else ""), os.uname().release)


def check_system(release: dict[str, str], kernel: str) -> None:
    """Check distribution and kernel."""
    if not {"debian", "ubuntu"} & {*release.get("ID_LIKE", "").split(), release.get("ID", "")}:
        name = release.get("PRETTY_NAME", "This system")
        raise Problem(f"{name} is not supported yet.", "Use Debian 12 or a newer Debian or Ubuntu.")
    found = re.match(r"(\d+)\.(\d+)", kernel)
    if found and (int(found[1]), int(found[2])) < OLDEST_KERNEL:
        raise Problem(f"The kernel {kernel} is too old.", "5.10 or newer is needed.")


def check_membership(options: argparse.Namespace) -> None:
    """Refuse a machine that is a host of another panel, which goes by its authority."""
    config = options.root / "agent.json"
    if not config.exists():
        return
    known = json.loads(config.read_text())
    pem = Path(known["ca_certificate"]).read_text()
    if hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() != options.ca_sha256.lower():
        raise Problem(f"This machine is a host of {known['panel']}.", f"Leave it: {LEAVE}")


def parse_release(text: str) -> dict[str, str]:
    """Return what os-release(5) says."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key: value.strip().strip("\"'") for key, value in pairs}


def install_packages() -> None:
    """Install by apt what is missing, and only that."""
    missing = [package for program, package in PACKAGES.items() if not is_there(program)]
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


def is_there(name: str) -> bool:
    """Look for a program, also where root's PATH may not lead; busybox must be static."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"
    found = shutil.which(name, path=path)
    if found is None or name != "busybox":
        return found is not None
    return b"/ld-linux" not in Path(found).read_bytes()


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
        pem = self._read("ca.pem", ssl._create_unverified_context()).decode("latin-1")  # noqa: S323
        try:
            found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        except ValueError:
            raise Problem(
                f"{url} does not answer as a panel does.", "Copy the line again."
            ) from None
        if found != ca_sha256.lower():
            raise Problem(
                f"{url} is not the panel that made this line: its certificate differs.",
                "Make a new line in the panel. If that does not help, somebody may be in between.",
            )
        self.context = ssl.create_default_context(cadata=pem)

    def read(self, name: str, body: bytes | None = None) -> bytes:
        """Return a file below ``/agent/``, or the answer to a ``body``."""
        return self._read(name, self.context, body)

    def _read(self, name: str, context: ssl.SSLContext, body: bytes | None = None) -> bytes:
        address = f"{self.url}/agent/{name}"
        try:
            with urllib.request.urlopen(address, body, 60, context=context) as reply:  # noqa: S310
                check_clock(reply.headers.get("Date", ""), time.time())
                return bytes(reply.read())
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            do = "See that this machine can open that address and port."
            raise Problem(f"{address} cannot be fetched: {reason}.", do) from error


def check_clock(date: str, now: float) -> None:
    """Compare this machine's clock to the panel's, by HTTP's ``Date``: messages expire."""
    parsed = email.utils.parsedate_tz(date)
    skew = now - email.utils.mktime_tz(parsed) if parsed else 0.0
    if abs(skew) > CLOCK_SKEW_SECONDS:
        off = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'}"
        raise Problem(
            f"This machine's clock is {off} the panel's.",
            "Set both right (timedatectl set-ntp true), then run the line again.",
        )


def check_token(panel: Panel, options: argparse.Namespace) -> None:
    """Refuse a worthless token before anything is installed; it is not used up by this."""
    if not (options.root / "agent.json").exists():
        answer = json.loads(panel.read("token", options.token.encode()))
        if answer["message"]:
            raise Problem(answer["message"], answer["hint"])


def install_agent(panel: Panel, sums: dict[str, str], prefix: Path, undo: ExitStack) -> Path:
    """Make the agent's environment from the panel's wheels, and return it."""
    digest = hashlib.sha256(json.dumps(sums).encode()).hexdigest()[:12]
    environment = prefix / f"venv-{digest}"
    if not (environment / "complete").exists():
        undo.callback(remove_if_empty, prefix)
        undo.callback(shutil.rmtree, environment, ignore_errors=True)
        make_environment(panel, sums, environment)
    return environment


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that nothing is left in."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def parse_sums(text: str) -> dict[str, str]:
    """Return name to SHA-256 of each wheel for this machine, from sha256sum(1)'s form."""
    lines = re.findall(r"^([0-9a-f]{64})  ([\w.+-]+\.whl)$", text, re.MULTILINE)
    every = {name: digest for digest, name in lines}
    fitting = {name: digest for name, digest in every.items() if fits(name)}
    missing = sorted({name.split("-")[0] for name in {*every}} - {n.split("-")[0] for n in fitting})
    if missing or not every:
        version = ".".join(map(str, sys.version_info[:2]))
        raise Problem(
            f"The panel has no agent for Python {version} on {os.uname().machine}"
            + (f" (no wheel of {', '.join(missing)})." if missing else "."),
            "It serves Python 3.11 to 3.13 on the architecture of its own machine."
            if missing
            else "Run `make up` on the panel's machine.",
        )
    return fitting


def fits(wheel: str) -> bool:
    """Tell whether a wheel is for this Python and machine, see the tags of PEP 425."""
    python, abi, platform = wheel.removesuffix(".whl").split("-")[-3:]
    minor = sys.version_info[1]
    stable = re.fullmatch(r"cp3(\d+)", python) if abi == "abi3" else None
    right_python = (
        "py3" in python.split(".")
        or python == f"cp3{minor}"
        or (stable is not None and int(stable[1]) <= minor)
    )
    return right_python and (platform == "any" or platform.endswith(os.uname().machine))


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
    words = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    words += ["--disable-pip-version-check", "--no-index", "--no-deps", "--require-hashes"]
    words += ["--find-links", str(wheels), "-r", str(wheels / "requirements.txt")]
    # Settings of this machine's pip must not bring in another source.
    own = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    run(words, "Installing the agent failed.", "", {**own, "PIP_CONFIG_FILE": os.devnull})
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


def switch(prefix: Path, environment: Path) -> None:
    """Point ``<prefix>/venv`` to the new environment in one step, and remove the others."""
    link(prefix / "venv", Path(environment.name))
    if prefix == PREFIX:
        link(COMMAND, prefix / "venv/bin/webpanel-agent")
    for old in prefix.glob("venv-*"):
        if old != environment:
            shutil.rmtree(old, ignore_errors=True)


def link(path: Path, target: Path) -> None:
    """Make a symbolic link, or point it elsewhere."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)


def join(python: Path, options: argparse.Namespace, undo: ExitStack) -> None:
    """Join the panel, unless this machine has."""
    if (options.root / "agent.json").exists():
        say(f"This machine has joined before and keeps its place. If it was removed: {LEAVE}.")
        return
    say("Joining the panel")
    # Processes of containers, which are not root, pass through both.
    for folder in (options.root, options.run):
        undo.callback(remove_if_empty, folder)
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    words = [str(python), "-m", "agents", "join", "--panel", options.panel]
    words += ["--token", options.token, "--ca-sha256", options.ca_sha256]
    words += ["--root", str(options.root), "--run", str(options.run)]
    words += ["--name", options.name] if options.name else []
    run(words, "The panel did not take this machine in.")


def seed_image(options: argparse.Namespace) -> None:
    """Make the base image of the machine's own busybox; idempotent."""
    python, config = options.prefix / "venv/bin/python", options.root / "agent.json"
    words = [str(python), "-m", "agents", "image", "seed", "--config", str(config)]
    run(words, "The base image could not be made.", "Mend that, then run the line again.")


def start(options: argparse.Namespace) -> None:
    """Start the agent, or start it anew with what was installed."""
    python, config = options.prefix / "venv/bin/python", options.root / "agent.json"
    words = [str(python), "-m", "agents", "start", "--config", str(config)]
    words += ["--no-systemd"] if options.no_service else []
    run(words, "The agent did not start.", "Mend that, then run the line again.")


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
