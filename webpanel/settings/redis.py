"""One Redis URL for all: redis-py, the channel layer and the broker want it spelt differently.

``WEBPANEL_REDIS_URL`` is in redis-py's form: ``unix://user:password@/path/redis.sock?db=0``,
``redis://…`` or ``rediss://…``.
"""

from pathlib import Path
from urllib.parse import quote, urlsplit


def redis_url(url: str, home: Path, password: str) -> str:
    """Return ``url``, or that of the panel's own Redis on its socket in ``<home>/redis``."""
    if url:
        return url
    login = f":{quote(password, safe='')}@" if password else ""
    return f"unix://{login}{home / 'redis' / 'redis.sock'}?db=0"


def broker_url(url: str) -> str:
    """Return the URL as Celery's broker transport spells it."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    login = f"{parts.username or ''}:{parts.password}@" if parts.password else ""
    return f"redis+socket://{login}{parts.path}?virtual_host=0"
