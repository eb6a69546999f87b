"""The panel's connections to Redis, one pool a process."""

from collections.abc import Mapping, Sequence
from functools import cache

import redis
import redis.asyncio
from django.conf import settings

TIMEOUT_SECONDS = 5
RESP2 = 2  # answers to stream reads are lists, as in the manual


@cache
def redis_client() -> "redis.Redis":
    """Return the process's client; answers are bytes. Safe to share between threads."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        protocol=RESP2,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
    )


def blocking_client(block_seconds: float) -> "redis.Redis":
    """Return a client of its own for reads that wait up to ``block_seconds``; close it."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        protocol=RESP2,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=block_seconds + TIMEOUT_SECONDS,
    )


def async_client() -> "redis.asyncio.Redis":
    """Return an asyncio client of its own for the running loop; ``aclose`` it.

    Bound each call by ``asyncio.timeout``: the client has no timeout for reading and writing,
    because redis-py's uses ``asyncio.wait_for``, which in Python 3.11 may lose a cancellation.
    """
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=None
    )


Entries = Sequence[tuple[bytes, Mapping[bytes, bytes]]]


def stream_entries(found: object) -> list[tuple[bytes, Entries]]:
    """Return XREAD's answer in one form: RESP2 gives pairs, RESP3 a mapping, nothing None."""
    if isinstance(found, dict):
        return [(name, batches[0]) for name, batches in found.items() if batches]
    return list(found) if isinstance(found, list) else []
