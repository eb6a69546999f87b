"""Live requests, on the host's control stream: they are not durable, expire within
seconds, and their answers are streams that end when nobody asks any more.
"""

import msgspec

from agents.protocol.records import LogLine


class Control(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all live requests."""

    operation_id: str = ""


class FollowLogs(Control, frozen=True, kw_only=True):
    """Publish the container's new lines on ``keys.log(uid, container_id)``.

    The agent stops ``lease`` seconds after the last such request for the container. If it
    already follows, the request only renews the lease. A fresh follow starts ``tail`` lines
    before the end, or right after the stream's last entry where the stream still exists.
    The stream keeps about 10,000 entries and vanishes 60 seconds after the lease.
    """

    container_id: str
    lease: float = 15.0
    tail: int = 200


class ReadLogs(Control, frozen=True, kw_only=True):
    """Read lines that are already written; answered by one :class:`LogChunk` entry, in the
    field ``chunk``, on ``keys.reply(uid, request_id)``, which lives for 60 seconds.

    Lines with ``after < position`` and, where ``before`` is not 0, ``position < before``.
    ``newest`` picks the last ``limit`` of them, otherwise the first ones. Sorted by position.
    """

    request_id: str
    container_id: str
    after: int = 0
    before: int = 0
    limit: int = 500
    newest: bool = True


class CancelOperation(Control, frozen=True, kw_only=True):
    """Stop the operation named by ``operation_id`` at its next safe point."""


class LogChunk(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to :class:`ReadLogs`; ``error`` is "" or one sentence.

    ``end`` is the position of the newest line there is.
    """

    lines: tuple[LogLine, ...] = ()
    end: int = 0
    error: str = ""


AnyControl = FollowLogs | ReadLogs | CancelOperation
