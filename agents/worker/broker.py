"""The kombu transport of an agent: Redis, as a user that may touch one host's keys only.

It differs from kombu's own in two things. The connection is made from the agent's
configuration, so no URL holds the password; and what a dead agent left unacknowledged is
taken back without a lock, as a host's queue has one consumer: so the host's user needs no
scripts, which could keep the panel's Redis busy.
"""

from time import time
from typing import Any, ClassVar

from kombu import transport
from kombu.transport import redis as base

from agents.reporter.connection import RedisOptions

ALIAS = "agent"


class HostQoS(base.QoS):
    """Acknowledgements for a queue with one consumer."""

    channel: Any

    def restore_visible(self, start: int = 0, num: int | None = 10, interval: int = 1) -> None:
        """Put back what has been unacknowledged for longer than the visibility timeout."""
        ceiling = time() - self.visibility_timeout
        with self.channel.conn_or_acquire() as client:
            for tag in client.zrange(self.unacked_index_key, 0, ceiling, byscore=True):
                self.restore_by_tag(tag, client)


class HostChannel(base.Channel):
    """A channel that connects with :attr:`options`."""

    QoS = HostQoS
    options: ClassVar[RedisOptions] = RedisOptions()
    max_connections: int

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        params: dict[str, Any] = {**self.options, "max_connections": self.max_connections}
        if asynchronous:
            params["connection_class"] = _watched(params["connection_class"], self)
        return params


class HostTransport(base.Transport):
    """The transport named ``agent://``."""

    Channel = HostChannel


def install(options: RedisOptions) -> str:
    """Make ``options`` those of every connection; return the broker's URL."""
    HostChannel.options = options
    transport.TRANSPORT_ALIASES[ALIAS] = f"{__name__}:{HostTransport.__name__}"
    return f"{ALIAS}://redis"


def _watched(kind: type, channel: Any) -> type:  # noqa: ANN401 kombu's stubs lack its parts
    """Return a connection class that tells the event loop when it is disconnected."""

    def disconnect(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 redis-py's own
        kind.disconnect(self, *args, **kwargs)  # type: ignore[attr-defined]
        if channel._registered:
            channel._on_connection_disconnect(self)

    return type("WatchedConnection", (kind,), {"disconnect": disconnect})
