"""Live requests, on the host's control stream: they are not durable, expire within
seconds, and their answers are streams that end when nobody asks any more.
"""

from typing import Literal

import msgspec

from agents.protocol.kernel import KernelView
from agents.protocol.records import HealthRecord, LogLine, ProcessRecord
from agents.protocol.stats import StatsRecord

Look = Literal["processes", "health", "kernel"]


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


class WatchStats(Control, frozen=True, kw_only=True):
    """Publish what the container uses, once a second, on ``keys.stats(uid, container_id)``.

    The agent stops ``lease`` seconds after the last such request for the container; however
    many ask, it reads once. The stream keeps some five minutes and vanishes 60 seconds after
    the lease.
    """

    container_id: str
    lease: float = 15.0


class StatsSample(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the stats stream, in its field ``s``; without ``stats``, ``error`` is one
    sentence that says why there are none.
    """

    at: float
    stats: StatsRecord | None = None
    error: str = ""


class LookAtContainer(Control, frozen=True, kw_only=True):
    """Tell ``what`` there is of a container at this moment; answered by one
    :class:`ContainerFindings`, in the field ``findings``, on ``keys.reply(uid, request_id)``,
    which lives for 60 seconds.
    """

    request_id: str
    container_id: str
    what: Look


class ContainerFindings(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to :class:`LookAtContainer`; ``error`` is "" or one sentence.

    Of the three, the one that was asked for is there.
    """

    at: float
    processes: tuple[ProcessRecord, ...] | None = None
    health: HealthRecord | None = None
    kernel: KernelView | None = None
    error: str = ""


AnyControl = FollowLogs | ReadLogs | CancelOperation | WatchStats | LookAtContainer
