"""Where the panel's settings come from.

A value is looked up in the process's environment, then in ``<home>/panel.env``
(``KEY=value`` lines, ``#`` comments). Secrets are in ``<home>/secrets.json`` (mode 0600).
``WEBPANEL_HOME`` names the home; it is ``var`` beside ``manage.py`` unless set.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent


class Environment:
    """Read-only view of the environment, the panel's file and its secrets."""

    def __init__(self, environ: Mapping[str, str], base: Path = BASE_DIR) -> None:
        self.home = Path(environ.get("WEBPANEL_HOME") or base / "var").resolve()
        self._values = {**_read_env_file(self.home / "panel.env"), **environ}
        self._secrets = _read_secrets(self.home / "secrets.json")

    def text(self, name: str, default: str = "") -> str:
        """Return the value of ``WEBPANEL_<name>``."""
        return self._values.get(f"WEBPANEL_{name}", default)

    def number(self, name: str, default: int) -> int:
        """Return ``WEBPANEL_<name>`` as a whole number; raises ``ValueError``."""
        return int(self.text(name) or default)

    def items(self, name: str, default: str = "") -> tuple[str, ...]:
        """Return the comma-separated values of ``WEBPANEL_<name>``."""
        return tuple(item.strip() for item in self.text(name, default).split(",") if item.strip())

    def secret(self, name: str) -> str:
        """Return a secret from ``WEBPANEL_<NAME>`` or the secrets' file; "" if there is none."""
        return self.text(name.upper()) or self._secrets.get(name, "")


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def _read_secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    values = json.loads(path.read_text())
    return {key: value for key, value in values.items() if isinstance(value, str)}


environment = Environment(os.environ)
