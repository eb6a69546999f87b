"""A panel set up for real: ``python3 -m setup up`` with a home and ports of its own."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from tests.panel_client import PanelClient

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person's name and password."""

    name: str
    password: str


@dataclass
class InstalledPanel:
    """One installation; :meth:`purge` removes all of it, containers and networks too."""

    home: Path
    http_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    redis_port: int = field(default_factory=free_port)
    output: str = ""
    account: Account | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SSH_")}
        return {
            **kept,
            "WEBPANEL_HOME": str(self.home),
            "WEBPANEL_HTTP_PORT": str(self.http_port),
            "WEBPANEL_HTTPS_PORT": str(self.https_port),
            "WEBPANEL_REDIS_PORT": str(self.redis_port),
        }

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def link(self) -> str:
        """The one link that the last ``up`` printed."""
        return re.findall(r"https?://\S+", self.output)[-1]

    def setup(self, *words: str, timeout: float = 300) -> str:
        """Run ``python3 -m setup`` and return what it printed; raises on an error."""
        done = subprocess.run(
            [sys.executable, "-m", "setup", *words],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(
                f"setup {words} failed:\n{done.stdout}\n{done.stderr}\n{self.logs()}"
            )
        return done.stdout

    def manage(self, *words: str) -> str:
        """Run one management command of this panel."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            text=True,
            check=True,
            env={**self.environment, "DJANGO_SETTINGS_MODULE": "webpanel.settings.production"},
            capture_output=True,
            timeout=60,
        ).stdout

    def up(self) -> None:
        self.output = self.setup("up")

    def owner(self) -> Account:
        """Return the owner's account; the first call signs up by the printed link."""
        if self.account is None:
            made = Account(name="owner", password=secrets.token_urlsafe(16))
            path = urllib.parse.urlsplit(self.link).path
            page = PanelClient(self.address).accept(path, made.name, made.password)
            assert page.address == f"{self.address}/", page.text
            self.account = made
        return self.account

    def sign_in(self) -> PanelClient:
        """Return a session of the owner."""
        client, owner = PanelClient(self.address), self.owner()
        page = client.sign_in(owner.name, owner.password)
        assert page.address == f"{self.address}/", page.text
        return client

    def control(self, *words: str) -> str:
        """Ask the supervisor, see supervisorctl(1); returns what it says, also of failures."""
        config = str(self.home / "supervisord.conf")
        return subprocess.run(
            [sys.executable, "-m", "supervisor.supervisorctl", "-c", config, *words],
            cwd=ROOT,
            text=True,
            check=False,
            capture_output=True,
            timeout=60,
        ).stdout.strip()

    def pid(self, program: str) -> int:
        """Return the process id of redis, web, worker, beat or agent; 0 if it is down."""
        said = self.control("pid", program)
        return int(said) if said.isdigit() else 0

    def purge(self) -> None:
        self.setup("purge")
        shutil.rmtree(self.home.parent, ignore_errors=True)

    def logs(self) -> str:
        """Return the end of each log, for a failure's report."""
        files = sorted((self.home / "log").glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in files)


def make_installed_panel() -> InstalledPanel:
    """Return an installation in a new folder on a disk that overlayfs can stand on."""
    return InstalledPanel(home=Path(tempfile.mkdtemp(prefix="webpanel-", dir="/var/tmp")) / "home")
