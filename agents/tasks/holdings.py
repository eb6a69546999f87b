"""Telling the panel which images, networks and volumes an act has changed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agents.engines.base import Engine
from agents.protocol.events import ImagesChanged, NetworksChanged, VolumesChanged
from agents.protocol.records import ImageRecord, NetworkRecord, VolumeRecord
from agents.tasks.context import Context


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What an engine holds besides containers."""

    images: tuple[ImageRecord, ...]
    networks: tuple[NetworkRecord, ...]
    volumes: tuple[VolumeRecord, ...]


def read_holdings(engine: Engine) -> Holdings:
    """Return what the engine holds now."""
    return Holdings(
        images=engine.list_images(),
        networks=engine.list_networks(),
        volumes=engine.list_volumes(),
    )


@contextmanager
def reported_holdings(context: Context) -> Iterator[None]:
    """Report what changed within the block, also when it fails half-way."""
    before = read_holdings(context.engine)
    try:
        yield
    finally:
        _report_changes(context, before, read_holdings(context.engine))


def _report_changes(context: Context, before: Holdings, now: Holdings) -> None:
    at = time.time()
    if now.images != before.images:
        context.reporter.put(ImagesChanged(at=at, images=now.images))
    if now.networks != before.networks:
        context.reporter.put(NetworksChanged(at=at, networks=now.networks))
    if now.volumes != before.volumes:
        context.reporter.put(VolumesChanged(at=at, volumes=now.volumes))
