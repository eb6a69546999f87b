"""The choices and secrets of one installation: ``<home>/installation.json``, mode 0600."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from setup.checks import check_port
from setup.places import Places, make_home
from setup.problem import Problem
from setup.run import run

VARIABLES = {
    "http_port": "WEBPANEL_HTTP_PORT",
    "https_port": "WEBPANEL_HTTPS_PORT",
    "redis_port": "WEBPANEL_REDIS_PORT",
}


@dataclass(frozen=True)
class Installation:
    """What was chosen at the first ``make up``; an environment variable changes it later.

    ``http_port`` is served on loopback only, the other two on all addresses, over TLS.
    ``address`` is how people and hosts reach the panel, or "" while nobody has named it.
    """

    http_port: int = 8000
    https_port: int = 8443
    redis_port: int = 8444
    address: str = ""

    @property
    def ports(self) -> dict[str, int]:
        return {
            "http_port": self.http_port,
            "https_port": self.https_port,
            "redis_port": self.redis_port,
        }


def load_installation(places: Places) -> Installation:
    """Return the choices: the environment's, else the file's, else the defaults."""
    path = places.home / "installation.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    chosen = {key: os.environ[name] for key, name in VARIABLES.items() if os.environ.get(name)}
    kept = known.pop("address", "")
    address = os.environ.get("WEBPANEL_ADDRESS") or kept
    ports = {**known, **chosen}
    try:
        return Installation(**{key: int(port) for key, port in ports.items()}, address=address)
    except (TypeError, ValueError) as error:
        raise Problem(
            f"A port is not a number ({error}).", "Give ports from 1 to 65535."
        ) from error


def save_installation(places: Places, installation: Installation) -> None:
    """Write the choices down, and the secrets at the first time."""
    make_home(places)
    write_private(
        places.home / "installation.json", json.dumps(asdict(installation), indent=2) + "\n"
    )
    path = places.home / "secrets.json"
    if not path.exists():
        made = {
            "secret_key": secrets.token_urlsafe(50),
            "redis_password": secrets.token_urlsafe(32),
        }
        write_private(path, json.dumps(made, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only root may read, whole or not at all."""
    temporary = path.with_suffix(path.suffix + ".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def check_ports(installation: Installation) -> None:
    """Check that the ports are free, before anything of ours listens on them."""
    check_port(
        "127.0.0.1", installation.http_port, "the panel on this machine", "WEBPANEL_HTTP_PORT"
    )
    check_port("", installation.https_port, "the panel over TLS", "WEBPANEL_HTTPS_PORT")
    check_port("", installation.redis_port, "the agents of other hosts", "WEBPANEL_REDIS_PORT")


def addresses(places: Places) -> list[str]:
    """Return the names and addresses under which this machine may be reached.

    Those of earlier runs stay, so that a certificate once trusted for them stays good.
    """
    kept = places.home / "addresses.json"
    known = json.loads(kept.read_text()) if kept.exists() else []
    found = ["localhost", "127.0.0.1", *_machine_names()]
    found += [name for name in (load_installation(places).address, _ssh_address()) if name]
    together = list(dict.fromkeys([*known, *found]))
    if together != known:
        places.home.mkdir(parents=True, exist_ok=True)
        write_private(kept, json.dumps(together))
    return together


def _machine_names() -> list[str]:
    """Return what the machine is called; a container's name and address are nobody's business."""
    if os.environ.get("WEBPANEL_CONTAINER"):
        return []
    return [socket.gethostname(), *_interface_addresses()]


def _interface_addresses() -> list[str]:
    """Return the global IPv4 and IPv6 addresses, without those of container bridges."""
    listed = json.loads(run(["ip", "-json", "address", "show", "up", "scope", "global"]) or "[]")
    return [
        entry["local"]
        for link in listed
        if not link.get("ifname", "").startswith(("docker", "br-", "veth", "wp", "virbr"))
        for entry in link.get("addr_info", [])
        if "local" in entry
    ]


def _ssh_address() -> str:
    """Return the address by which the person came in; ``SSH_CONNECTION`` is "client port
    server port", see ssh(1).
    """
    parts = os.environ.get("SSH_CONNECTION", "").split()
    return parts[2] if len(parts) == 4 else ""


def public_url(name: str, port: int) -> str:
    """Return the HTTPS address for a host name or an IP address."""
    return f"https://[{name}]:{port}" if ":" in name else f"https://{name}:{port}"


def link_base(installation: Installation) -> str:
    """Return the address to open: the one named, else over SSH the one that the person came
    in by, else loopback, where no certificate has to be accepted.
    """
    name = os.environ.get("WEBPANEL_ADDRESS") or installation.address or _ssh_address()
    if name:
        return public_url(name, installation.https_port)
    return f"http://127.0.0.1:{installation.http_port}"
