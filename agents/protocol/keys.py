"""The names in Redis that belong to one host, and those of the panel.

Everything of a host begins with ``host.<uid>``; its ACL user may touch nothing else
(see :func:`host_patterns`). A host's ``uid`` is 32 lower-case hexadecimal digits.
"""

PANEL_RECIPIENT = "panel"
PANEL_WAKE_STREAM = "panel.wake"
COMMAND_TASK = "agent.command"


def queue(uid: str) -> str:
    """Return the host's Celery queue; also its exchange and routing key."""
    return f"host.{uid}"


def recipient(uid: str) -> str:
    """Return the address that an envelope to or from this host bears."""
    return f"host.{uid}"


def events(uid: str) -> str:
    """Return the stream on which the agent tells the panel what happened."""
    return f"host.{uid}.events"


def control(uid: str) -> str:
    """Return the stream on which the panel asks for live sessions."""
    return f"host.{uid}.control"


def log(uid: str, container_id: str) -> str:
    """Return the stream of one container's live log lines.

    An entry's id is ``<position>-0``: see :class:`agents.protocol.records.LogLine`.
    """
    return f"host.{uid}.log.{container_id}"


def stats(uid: str, container_id: str) -> str:
    """Return the stream of what one container uses, while somebody looks."""
    return f"host.{uid}.stats.{container_id}"


def reply(uid: str, request_id: str) -> str:
    """Return the stream on which the agent answers one control request."""
    return f"host.{uid}.reply.{request_id}"


def acl_user(uid: str) -> str:
    """Return the name of the host's Redis user."""
    return f"host-{uid}"


def host_patterns(uid: str) -> tuple[str, ...]:
    """Return the key patterns that the host's Redis user may touch.

    Those of ``_kombu`` are the bindings that kombu keeps for a queue.
    """
    name = queue(uid)
    return (
        name,
        f"{name}.*",
        # kombu's priority queues: the name, two separator bytes and a digit
        f"{name}\x06\x16*",
        f"_kombu.binding.{name}",
        f"_kombu.binding_permanent.{name}",
    )


# What a host's worker and its live sessions send, found by trying; neither scripts nor
# anything that looks beyond the keys above (KEYS, SCAN, INFO, MONITOR, CLIENT LIST …).
HOST_COMMANDS = (
    "ping",
    "hello",
    "multi",
    "exec",
    "discard",
    "watch",
    "unwatch",
    "brpop",
    "rpop",
    "lpush",
    "rpush",
    "llen",
    "hset",
    "hget",
    "hdel",
    "zadd",
    "zrem",
    "zrange",
    "sadd",
    "smembers",
    "exists",
    "expire",
    "xadd",
    "xread",
    "xrange",
    "xrevrange",
    "xlen",
)


def acl_rules(uid: str, password_sha256: str) -> tuple[str, ...]:
    """Return the rules for ``ACL SETUSER <acl_user(uid)>``, in their order (redis.io, ACL).

    ``password_sha256`` is 64 lower-case hexadecimal digits. Setting them again replaces
    whatever the user had before.
    """
    patterns = [f"~{pattern}" for pattern in host_patterns(uid)]
    commands = [f"+{command}" for command in HOST_COMMANDS]
    access = ["resetkeys", *patterns, "resetchannels", "-@all", *commands]
    return ("reset", "on", f"#{password_sha256}", *access)
