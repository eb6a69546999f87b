"""What people ask of an image: its history, and all that is known of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from agents.engines.native.images.config import (
    Healthcheck,
    HistoryEntry,
    RunConfig,
    parse_time,
)
from agents.engines.native.images.stored import StoredImage
from agents.protocol.records import HealthcheckRecord, HistoryRecord, ImageDetails, LayerRecord

_NANOSECONDS = 1_000_000_000


def history(image: StoredImage) -> tuple[HistoryRecord, ...]:
    """Return the steps of an image, newest first.

    Layers that its document does not explain have a row without words.
    """
    rows = list(_rows(image.document.history or (), image.layer_sizes))
    if rows:
        rows[-1] = msgspec.structs.replace(rows[-1], id=image.id)
    return tuple(reversed(rows))


def _rows(entries: Sequence[HistoryEntry], sizes: Sequence[int]) -> Iterator[HistoryRecord]:
    left = list(reversed(sizes))
    for entry in entries:
        yield HistoryRecord(
            created_at=parse_time(entry.created),
            created_by=entry.created_by,
            comment=entry.comment,
            size=0 if entry.empty_layer or not left else left.pop(),
            is_empty=entry.empty_layer,
        )
    yield from (HistoryRecord(size=size) for size in reversed(left))


def inspect(
    image: StoredImage, shared_by: Mapping[str, int], containers: Collection[str]
) -> ImageDetails:
    """Return all that is known of an image.

    ``shared_by`` counts, for each of its layers, the other images that have it too.
    """
    document, layers = image.document, tuple(_layers(image, shared_by))
    config = document.config or RunConfig()
    return ImageDetails(
        id=image.id,
        references=image.references,
        digests=image.digests,
        created_at=image.created_at,
        architecture=document.architecture,
        os=document.os,
        author=document.author,
        comment=document.history[-1].comment if document.history else "",
        environment=config.env or (),
        command=config.cmd or (),
        entrypoint=config.entrypoint or (),
        working_dir=config.working_dir,
        user=config.user,
        volumes=tuple(sorted(config.volumes or ())),
        ports=tuple(sorted(config.exposed_ports or ())),
        labels=dict(config.labels or {}),
        stop_signal=config.stop_signal,
        healthcheck=_healthcheck(config.healthcheck),
        shell=config.shell or (),
        on_build=config.on_build or (),
        layers=layers,
        size=image.size,
        shared_size=sum(layer.size for layer in layers if layer.shared_by),
        containers=tuple(sorted(containers)),
    )


def _layers(image: StoredImage, shared_by: Mapping[str, int]) -> Iterator[LayerRecord]:
    for diff_id, size in zip(image.diff_ids, image.layer_sizes, strict=True):
        yield LayerRecord(diff_id=diff_id, size=size, shared_by=shared_by.get(diff_id, 0))


def _healthcheck(given: Healthcheck | None) -> HealthcheckRecord | None:
    if given is None:
        return None
    return HealthcheckRecord(
        test=given.test,
        interval=given.interval / _NANOSECONDS,
        timeout=given.timeout / _NANOSECONDS,
        start_period=given.start_period / _NANOSECONDS,
        start_interval=given.start_interval / _NANOSECONDS,
        retries=given.retries,
    )
