"""Live requests to a host, on its control stream."""

import redis.asyncio
from redis import RedisError

from agents.protocol import keys
from agents.protocol.control import AnyControl
from agents.protocol.envelope import MAX_CLOCK_SKEW, seal
from apps.core.errors import UnavailableError
from apps.core.redis import blocking_client, redis_client, stream_entries
from apps.hosts import pki
from apps.hosts.models import Host

# Old ones are of no use, but a host whose clock is ahead must not take new ones for old.
LIFETIME_SECONDS = 15.0 + MAX_CLOCK_SKEW
ANSWER_SECONDS = 4.0
_MAX_ENTRIES = 1000


def send_control(host: Host, control: AnyControl) -> None:
    """Ask the host's agent; raises :class:`UnavailableError`. Nobody answers if it is offline."""
    try:
        redis_client().xadd(
            keys.control(host.uid), {"m": sealed_control(host.uid, control)}, maxlen=_MAX_ENTRIES
        )
    except RedisError as error:
        raise UnavailableError("Redis does not answer.", hint="See `make status`.") from error


def ask_host(host: Host, control: AnyControl, request_id: str, field: str) -> bytes:
    """Ask the host's agent and return its answer's ``field``; blocks for some seconds at most.

    Raises :class:`UnavailableError` when Redis or the host does not answer.
    """
    send_control(host, control)
    key = keys.reply(host.uid, request_id)
    client = blocking_client(ANSWER_SECONDS)
    try:
        found = client.xread({key: "0"}, count=1, block=int(ANSWER_SECONDS * 1000))
        client.delete(key)
    except RedisError as error:
        raise UnavailableError("Redis does not answer.", hint="See `make status`.") from error
    finally:
        client.close()
    for _, entries in stream_entries(found):
        answer = entries[0][1].get(field.encode())
        if answer is not None:
            return answer
    raise UnavailableError(
        f"{host.name} does not answer.", hint="Its agent may be busy, or older than this panel."
    )


async def send_control_async(
    client: "redis.asyncio.Redis", host_uid: str, control: AnyControl
) -> None:
    """As :func:`send_control`, through the caller's client; raises ``redis.RedisError``."""
    sealed = sealed_control(host_uid, control)
    await client.xadd(keys.control(host_uid), {"m": sealed}, maxlen=_MAX_ENTRIES)


def sealed_control(host_uid: str, control: AnyControl) -> str:
    """Sign a request for a host; it is good for some minutes."""
    return seal(
        control,
        key=pki.command_key(),
        kind="control",
        sender=keys.PANEL_RECIPIENT,
        recipient=keys.recipient(host_uid),
        lifetime=LIFETIME_SECONDS,
    )
