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


def reply(uid: str, request_id: str) -> str:
    """Return the stream on which the agent answers one control request."""
    return f"host.{uid}.reply.{request_id}"


def acl_user(uid: str) -> str:
    """Return the name of the host's Redis user."""
    return f"host-{uid}"


def host_patterns(uid: str) -> tuple[str, ...]:
    """Return the key patterns that the host's Redis user may touch.

    The first two of ``_kombu`` are the bindings that kombu keeps for a queue.
    """
    name = queue(uid)
    return (
        name,
        f"{name}.*",
        # kombu's priority queues: the name, two separator bytes and a digit
        f"{name}\x06\x16*",
        f"_kombu.binding.{name}",
        f"_kombu.binding.{name}.*",
    )
