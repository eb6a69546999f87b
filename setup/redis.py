"""A Redis of the panel's own: its directory, password, ACL file and socket."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from setup.installation import Installation, write_private
from setup.places import Places
from setup.stamps import digest


def configure_redis(places: Places, installation: Installation) -> None:
    """Write redis.conf, the first ACL file, and a ``redis-server`` to start.

    The ACL file is the panel's user alone at first; Redis itself adds the hosts' users
    (``ACL SAVE``), so it is not written again.
    """
    places.redis.mkdir(parents=True, exist_ok=True)
    places.redis.chmod(0o700)
    write_private(places.redis / "redis.conf", _configuration(places, installation))
    acl = places.redis / "users.acl"
    if not acl.exists():
        password = json.loads((places.home / "secrets.json").read_text())["redis_password"]
        write_private(acl, _first_users(password))
    _link_server(places.redis / "redis-server")


def settings_digest(places: Places) -> str:
    """Return a digest of what a running Redis has read."""
    return digest([places.redis / "redis.conf", places.pki / "panel.pem"])


def _first_users(password: str) -> str:
    hashed = hashlib.sha256(password.encode()).hexdigest()
    return f"user default on #{hashed} ~* &* +@all\n"


def _link_server(link: Path) -> None:
    """Redis's checker and server are one program that goes by its name; see system.py."""
    server = Path("/usr/bin/redis-server")
    target = server if server.exists() else Path("/usr/bin/redis-check-rdb")
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _configuration(places: Places, installation: Installation) -> str:
    """Return redis.conf: a socket for the panel, TLS with client certificates for agents."""
    pki = places.pki
    lines = [
        "port 0",
        f'unixsocket "{places.redis_socket}"',
        "unixsocketperm 700",
        "bind * -::*",
        f"tls-port {installation.redis_port}",
        f'tls-cert-file "{pki / "panel.pem"}"',
        f'tls-key-file "{pki / "panel.key"}"',
        f'tls-ca-cert-file "{pki / "ca.pem"}"',
        "tls-auth-clients yes",
        'tls-protocols "TLSv1.2 TLSv1.3"',
        f'aclfile "{places.redis / "users.acl"}"',
        f'dir "{places.redis}"',
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
        "timeout 0",
        "tcp-keepalive 60",
        "daemonize no",
        'logfile ""',
    ]
    return "\n".join(lines) + "\n"
