"""Putting the lines of several containers in the order of time."""

import heapq
from collections.abc import Iterable, Iterator

from agents.protocol.records import LogLine
from apps.logs.track import Delivery


def merge(sources: Iterable[list[Delivery]]) -> list[Delivery]:
    """Merge by time, never changing the order within one source.

    A clock that went backwards must not reorder a container's own lines, so each entry
    counts as no earlier than the one before it.
    """
    streams = [_with_times(source) for source in sources]
    return [item for _, _, item in heapq.merge(*streams, key=lambda entry: entry[:2])]


def _with_times(source: list[Delivery]) -> Iterator[tuple[float, str, Delivery]]:
    latest = 0.0
    for item in source:
        if isinstance(item, LogLine):
            latest = max(latest, item.at)
        yield latest, item.container_id, item
