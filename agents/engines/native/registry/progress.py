"""Tells a listener how far layers are, at a bounded rate."""

import threading
import time

from agents.engines.abilities.registries import LayerListener, LayerProgress, LayerState

SECONDS_BETWEEN = 0.2


class LayerReports:
    """Passes on each change of a layer's state, and its bytes some times a second."""

    def __init__(self, listener: LayerListener) -> None:
        self._listener = listener
        self._mutex = threading.Lock()
        self._last: dict[str, tuple[LayerState, float]] = {}

    def say(self, layer: str, state: LayerState, done: int = 0, total: int = 0) -> None:
        """Tell how far a layer is; usable from several threads."""
        now = time.monotonic()
        with self._mutex:
            before, moment = self._last.get(layer, ("", 0.0))
            if before == state and now - moment < SECONDS_BETWEEN:
                return
            self._last[layer] = (state, now)
            self._listener(LayerProgress(layer=layer, state=state, done=done, total=total))
