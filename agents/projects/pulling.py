"""Pulls a service's image, and says how that goes."""

import time

from agents.engines.abilities.registries import LayerProgress, Registries
from agents.errors import NotFoundError, RegistryError
from agents.projects.progress import Progress

_WORDS = {
    "downloading": "downloading",
    "extracting": "extracting",
    "exists": "is here already",
    "done": "done",
}
_SHORT = 12
# Each goes to the panel; the engine tells more often.
SECONDS_BETWEEN = 1.0


class Pulling:
    """Passes on a line for each change of a layer, and all layers' bytes as progress."""

    def __init__(self, registries: Registries, progress: Progress) -> None:
        self._registries = registries
        self._progress = progress
        self._layers: dict[str, LayerProgress] = {}
        self._next = 0.0

    def pull(self, reference: str, service: str) -> str:
        """Pull the image and return its id. Blocks; raises as :meth:`Registries.pull_image`."""
        self._progress.step(f"Pull {reference}", service=service)
        self._layers.clear()
        try:
            image = self._registries.pull_image(
                reference,
                progress=lambda one: self._tell(one, reference, service),
                cancelled=self._progress.cancelled,
            )
        except (NotFoundError, RegistryError) as error:
            error.message = f"{reference} cannot be pulled. {error.message}"
            raise
        return image.id

    def _tell(self, one: LayerProgress, reference: str, service: str) -> None:
        before = self._layers.get(one.layer)
        self._layers[one.layer] = one
        is_news = before is None or before.state != one.state
        if not is_news and time.monotonic() < self._next:
            return
        if is_news and one.state in _WORDS:
            self._progress.output(_line(one), service=service)
        self._next = time.monotonic() + SECONDS_BETWEEN
        done = sum(_arrived(each) for each in self._layers.values())
        total = sum(each.total for each in self._layers.values())
        self._progress.advance(done, total, f"Pull {reference}")


def _arrived(one: LayerProgress) -> int:
    return one.done if one.state == "downloading" else 0 if one.state == "waiting" else one.total


def _line(one: LayerProgress) -> str:
    digits = one.layer.partition(":")[2][:_SHORT]
    size = f" {_megabytes(one.total)}" if one.state == "downloading" else ""
    return f"{digits}: {_WORDS[one.state]}{size}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
