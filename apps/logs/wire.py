"""What the log viewer in the browser is told, and what it says: JSON objects by ``type``.

The names of a line's fields are single letters because thousands of them travel.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Literal

import msgspec

from agents.protocol.records import LogLine
from apps.logs.sources import LogContainer
from apps.logs.track import Delivery, Gap

MAX_CURSORS = 1000


class Resume(msgspec.Struct, frozen=True, tag="resume", forbid_unknown_fields=True):
    """The browser's first words: the last position it has of each container."""

    cursors: dict[str, int] = {}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """``c`` container, ``s`` service, ``n`` number, ``p`` position, ``q`` the one before it,
    ``t`` milliseconds since the epoch, ``o`` stream, ``x`` text.
    """

    c: str
    s: str
    n: int
    p: int
    q: int
    t: float
    o: Literal["stdout", "stderr"]
    x: str


class Lines(msgspec.Struct, frozen=True, kw_only=True, tag="lines"):
    """New lines, by time."""

    lines: list[Line]


class GapShown(msgspec.Struct, frozen=True, kw_only=True, tag="gap", rename={"start": "from"}):
    """Lines of container ``c`` after position ``from`` up to ``to`` cannot be shown."""

    c: str
    start: int
    to: int
    reason: str


class ContainerShown(msgspec.Struct, frozen=True, kw_only=True):
    """A container whose lines may come; ``color`` is an index that its service keeps."""

    id: str
    service: str
    name: str
    color: int


class Containers(msgspec.Struct, frozen=True, kw_only=True, tag="containers"):
    """The containers whose lines may come from here on."""

    containers: list[ContainerShown]


class Status(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    """Whether lines flow: ``idle`` means that there is no container."""

    state: Literal["live", "idle", "host-offline"]


Message = Lines | GapShown | Containers | Status


def show_containers(containers: Iterable[LogContainer]) -> Containers:
    """Describe the containers; those of one service share a colour."""
    services: dict[str, int] = {}
    shown = [
        ContainerShown(
            id=container.container_id,
            service=container.service,
            name=container.name,
            color=services.setdefault(container.service, len(services)),
        )
        for container in containers
    ]
    return Containers(containers=shown)


def show_deliveries(
    deliveries: Iterable[Delivery], containers: dict[str, LogContainer]
) -> list[Lines | GapShown]:
    """Put deliveries into as few messages as their order allows."""
    messages: list[Lines | GapShown] = []
    for is_gap, group in groupby(deliveries, key=lambda item: isinstance(item, Gap)):
        if is_gap:
            messages += [_show_gap(item) for item in group if isinstance(item, Gap)]
        else:
            lines = [
                _show_line(item, containers[item.container_id])
                for item in group
                if isinstance(item, LogLine) and item.container_id in containers
            ]
            messages.append(Lines(lines=lines))
    return messages


def _show_line(line: LogLine, container: LogContainer) -> Line:
    return Line(
        c=line.container_id,
        s=container.service,
        n=container.number,
        p=line.position,
        q=line.previous,
        t=round(line.at * 1000, 3),
        o=line.stream,
        x=line.text,
    )


def _show_gap(gap: Gap) -> GapShown:
    return GapShown(c=gap.container_id, start=gap.start, to=gap.end, reason=gap.reason)
