"""Which images a clean-up takes."""

from collections.abc import Collection, Iterator, Mapping

from agents.engines.native.images.index import Index
from agents.engines.specs import PruneSpec

Labels = Mapping[str, str]


def choose(index: Index, spec: PruneSpec, in_use: Collection[str]) -> Iterator[str]:
    """Give the ids of the images to remove, labels not looked at yet."""
    named = frozenset() if spec.all else frozenset(index.references.values())
    for image_id, entry in index.images.items():
        too_new = spec.until is not None and entry.created_at > spec.until
        is_meant = not spec.ids or image_id in spec.ids
        if is_meant and image_id not in in_use and image_id not in named and not too_new:
            yield image_id


def labels_match(spec: PruneSpec, labels: Labels) -> bool:
    """Return whether an image with these labels is meant."""
    return all(_bears(labels, one) for one in spec.labels) and not any(
        _bears(labels, one) for one in spec.without_labels
    )


def _bears(labels: Labels, wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)
