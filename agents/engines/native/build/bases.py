"""Finds the images that a build begins with: in the store, or at their registries."""

from collections.abc import Callable
from dataclasses import dataclass

from agents.engines.abilities.registries import LayerListener, LayerProgress
from agents.engines.base import Cancelled, Output
from agents.engines.native.images.store import ImageStore, StoredImage
from agents.errors import NotFoundError

Pull = Callable[[str, LayerListener, Cancelled], StoredImage]

_TOLD = ("downloading", "exists", "done")


@dataclass(frozen=True, kw_only=True)
class Bases:
    """Images by name; without ``pull`` they must be here."""

    store: ImageStore
    output: Output
    cancelled: Cancelled
    pull: Pull | None = None

    def find(self, name: str) -> StoredImage:
        """Return an image; one that is not here is pulled. May block for long.

        Raises ``NotFoundError``, and as :meth:`Registries.pull_image`.
        """
        try:
            return self.store.find(name)
        except NotFoundError:
            if self.pull is None:
                raise
        self.output(f"Pull {name}")
        told: dict[str, str] = {}

        def tell(one: LayerProgress) -> None:
            if one.state in _TOLD and told.get(one.layer) != one.state:
                told[one.layer] = one.state
                self.output(f"{one.layer[7:19]}: {one.state}")

        return self.pull(name, tell, self.cancelled)
