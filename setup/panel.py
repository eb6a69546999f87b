"""The panel itself: its settings, keys and database."""

from __future__ import annotations

import hashlib
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from setup.installation import Installation, addresses, public_url, write_private
from setup.places import CHECKOUT, Places
from setup.run import run, step
from setup.stamps import digest, once

SOURCES = ("agents", "apps", "webpanel", "templates", "static", "uv.lock")


def source_digest(places: Places) -> str:
    """Return a digest of all that a running panel is made of."""
    return digest([*(CHECKOUT / name for name in SOURCES), places.home / "panel.env"])


def write_settings(places: Places, installation: Installation) -> None:
    """Write ``<home>/panel.env``, which the panel's settings read."""
    names = addresses(places)
    password = json.loads((places.home / "secrets.json").read_text())["redis_password"]
    values = {
        "WEBPANEL_HTTP_PORT": str(installation.http_port),
        "WEBPANEL_HTTPS_PORT": str(installation.https_port),
        "WEBPANEL_ALLOWED_HOSTS": ",".join(_bracketed(name) for name in names),
        "WEBPANEL_PUBLIC_URLS": ",".join(
            public_url(name, installation.https_port)
            for name in _outside_first(names, installation.address)
        ),
        "WEBPANEL_AGENT_REDIS_URLS": ",".join(
            public_url(name, installation.redis_port).replace("https:", "rediss:") + "/0"
            for name in _outside_first(names, installation.address)
        ),
        "WEBPANEL_REDIS_URL": f"unix://:{quote(password, safe='')}@{places.redis_socket}?db=0",
    }
    lines = ["# Written by `make up`; your own settings go into the environment.", ""]
    lines += [f"{key}={value}" for key, value in values.items()]
    write_private(places.home / "panel.env", "\n".join(lines) + "\n")


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _outside_first(names: list[str], named: str) -> list[str]:
    """Sort the one that a person named, and those of use to other machines, to the front."""
    own = ("localhost", "127.0.0.1")
    return sorted(names, key=lambda name: (name != named, name in own, not name[0].isdigit()))


def manage(places: Places, *words: str) -> str:
    """Run one management command of the panel and return what it prints."""
    return run(
        [str(places.python), str(CHECKOUT / "manage.py"), *words],
        env={
            "WEBPANEL_HOME": str(places.home),
            "DJANGO_SETTINGS_MODULE": "webpanel.settings.production",
        },
        cwd=CHECKOUT,
        failed=f"manage.py {words[0]} failed.",
    )


def prepare(places: Places, installation: Installation) -> None:
    """Make keys, certificate, database and static files, as far as they are not there."""
    names = addresses(places)
    once(places.pki / ".names", digest([], *names), lambda: _make_keys(places, names))
    once(places.stamps / "database", digest(_migrations()), lambda: _migrate(places))
    once(places.stamps / "static", digest([CHECKOUT / "static"]), lambda: _collect(places))


def _migrations() -> list[Path]:
    return sorted(CHECKOUT.glob("apps/*/migrations/*.py")) + [CHECKOUT / "uv.lock"]


def _make_keys(places: Places, names: list[str]) -> None:
    with step("Making keys and certificates"):
        manage(places, "init_pki", *(word for name in names for word in ("--name", name)))


def _migrate(places: Places) -> None:
    with step("Preparing the database"):
        manage(places, "migrate", "--no-input", "--verbosity", "0")


def _collect(places: Places) -> None:
    manage(places, "collectstatic", "--no-input", "--verbosity", "0", "--clear")


def answers(places: Places, installation: Installation) -> bool:
    """Tell whether the panel serves pages."""
    try:
        address = f"http://127.0.0.1:{installation.http_port}/healthz"
        with urllib.request.urlopen(address, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def ca_sha256(places: Places) -> str:
    """Return the SHA-256 of the CA's certificate (DER), by which an agent knows the panel."""
    der = ssl.PEM_cert_to_DER_cert((places.pki / "ca.pem").read_text())
    return hashlib.sha256(der).hexdigest()
