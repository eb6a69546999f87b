"""Where things lie: the checkout, the home of this installation, its run folder."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Places:
    """The folders of one installation.

    ``home`` holds all that must last; ``run`` (short, as socket paths end at 107 bytes)
    holds sockets and goes with a reboot.
    """

    home: Path
    run: Path

    @property
    def venv(self) -> Path:
        return CHECKOUT / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def redis(self) -> Path:
        return self.home / "redis"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def wheels(self) -> Path:
        return self.home / "wheels"

    @property
    def agent(self) -> Path:
        return self.home / "agent"

    @property
    def stamps(self) -> Path:
        return self.home / "stamps"

    @property
    def supervisor_config(self) -> Path:
        return self.home / "supervisord.conf"

    @property
    def supervisor_socket(self) -> Path:
        return self.run / "supervisor.sock"

    @property
    def name(self) -> str:
        """A short name of this installation, the same each time."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:8]


def find_places() -> Places:
    """Return the places: ``WEBPANEL_HOME`` (or ``var`` in the checkout) and ``WEBPANEL_RUN``."""
    home = Path(os.environ.get("WEBPANEL_HOME") or CHECKOUT / "var").resolve()
    name = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    run = Path(os.environ.get("WEBPANEL_RUN") or f"/run/webpanel-{name}").resolve()
    return Places(home=home, run=run)


def make_home(places: Places) -> None:
    """Make the home so that only root may enter: the database in it has sessions."""
    places.home.mkdir(parents=True, exist_ok=True)
    places.home.chmod(0o700)
