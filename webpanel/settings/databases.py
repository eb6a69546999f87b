"""SQLite by default, PostgreSQL by ``WEBPANEL_DATABASE_URL``."""

from pathlib import Path
from typing import TypedDict
from urllib.parse import parse_qsl, unquote, urlsplit


class Database(TypedDict, total=False):
    """One entry of Django's ``DATABASES``."""

    ENGINE: str
    NAME: str
    USER: str
    PASSWORD: str
    HOST: str
    PORT: str
    CONN_MAX_AGE: int
    CONN_HEALTH_CHECKS: bool
    OPTIONS: dict[str, str | int]
    TEST: dict[str, str]


def database(url: str, home: Path) -> Database:
    """Return the settings for ``postgresql://user:password@host:port/name``, or SQLite's.

    Parameters in the query go to libpq as they are, such as ``?sslmode=verify-full``;
    ``?host=/run/postgresql`` names the folder of a unix socket.

    SQLite runs with a write-ahead log; each transaction takes the write lock as it begins,
    so that two writers wait for each other and never fail half-way.
    """
    if not url:
        return sqlite(home / "panel.sqlite3")
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("WEBPANEL_DATABASE_URL must begin with postgresql://")
    options: dict[str, str | int] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": str(options.pop("host", "")) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def sqlite(path: Path) -> Database:
    """Return the settings of an SQLite database in ``path``."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
