"""How this host reaches Redis: as its own user, over TLS or a local socket."""

import threading
from collections.abc import Callable
from typing import TypedDict
from urllib.parse import parse_qs, urlsplit

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from agents.config import AgentConfig
from agents.errors import InvalidInputError

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5.0
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
DEFAULT_PORT = 6379


class RedisOptions(TypedDict, total=False):
    """Keyword arguments of a redis-py connection."""

    connection_class: type[redis.Connection] | type[redis.UnixDomainSocketConnection]
    username: str
    password: str
    db: int
    path: str
    host: str
    port: int
    socket_timeout: float | None
    socket_connect_timeout: float
    socket_keepalive: bool
    ssl_ca_certs: str
    ssl_certfile: str
    ssl_keyfile: str
    ssl_cert_reqs: str
    ssl_check_hostname: bool
    lib_name: str | None
    lib_version: str | None
    retry: Retry
    redis_connect_func: Callable[[redis.Connection], None]


def redis_options(config: AgentConfig, url: str) -> RedisOptions:
    """Return the options that reach Redis at ``url`` as this host's user.

    Raises:
        InvalidInputError: the URL is of no kind that is known here.
    """
    parts = urlsplit(url)
    options = RedisOptions(username=config.redis_username, password=config.redis_password.reveal())
    if parts.scheme in ("unix", "redis+socket"):
        options.update(_socket_options(parts.path, parts.query))
    elif parts.scheme == "rediss":
        options.update(_tls_options(config, parts.hostname or "", parts.port or DEFAULT_PORT))
        options["db"] = int(parts.path.strip("/") or 0)
    else:
        raise InvalidInputError(
            f"the agent does not speak to Redis by {parts.scheme}:",
            hint="Use rediss://host:port or unix:///path.",
        )
    return options


def _socket_options(path: str, query: str) -> RedisOptions:
    values = parse_qs(query)
    database = (values.get("db") or values.get("virtual_host") or ["0"])[0]
    kind = redis.UnixDomainSocketConnection
    return RedisOptions(connection_class=kind, path=path, db=int(database))


def _tls_options(config: AgentConfig, host: str, port: int) -> RedisOptions:
    return RedisOptions(
        connection_class=redis.SSLConnection,
        host=host,
        port=port,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_keepalive=True,
        ssl_ca_certs=str(config.ca_certificate),
        ssl_certfile=str(config.certificate),
        ssl_keyfile=str(config.private_key),
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
    )


def connect(
    config: AgentConfig,
    url: str,
    *,
    timeout: float = 15.0,
    on_connect: Callable[[], None] | None = None,
) -> redis.Redis:
    """Return a client; it connects when it is first used. ``timeout`` bounds each answer.

    It tries nothing twice by itself, but a connection that was lost is made anew without a
    word: ``on_connect`` is called then, as what Redis held may be lost.
    """

    def connected(connection: redis.Connection) -> None:
        connection.on_connect()  # type: ignore[no-untyped-call] # redis-py's own
        if on_connect is not None:
            on_connect()

    options = redis_options(config, url)
    options["socket_timeout"] = timeout
    options["retry"] = Retry(NoBackoff(), 0)
    options["redis_connect_func"] = connected
    return redis.Redis(connection_pool=redis.ConnectionPool(**options))


def first_reachable(config: AgentConfig, stopping: threading.Event) -> str:
    """Return the first of the configured URLs that answers; try for ever, with pauses.

    Returns "" when ``stopping`` is set meanwhile.
    """
    pause = FIRST_PAUSE
    while not stopping.is_set():
        for url in config.redis_urls:
            if _answers(config, url):
                return url
        stopping.wait(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    return ""


def _answers(config: AgentConfig, url: str) -> bool:
    client = connect(config, url, timeout=CONNECT_SECONDS)
    try:
        return bool(client.ping())
    except redis.RedisError as error:
        log.warning("redis_unreachable", url=url, error=str(error))
        return False
    finally:
        client.close()


def keep_trying(act: Callable[[], None], stopping: threading.Event, what: str) -> bool:
    """Run ``act`` until Redis takes it; return False when ``stopping`` came first.

    Pauses grow from 0.2 to 10 seconds.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            act()
            return True
        except redis.RedisError as error:
            log.warning("redis_away", what=what, error=str(error), pause=pause)
        if stopping.wait(pause):
            return False
        pause = min(pause * 2, LONGEST_PAUSE)
