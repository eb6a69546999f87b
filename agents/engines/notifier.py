"""Tells listeners what changed, in order, from one thread."""

import logging
import threading
from queue import SimpleQueue

from agents.engines.base import ContainerEvent, Listener
from agents.errors import AgentError

logger = logging.getLogger(__name__)


class Notifier:
    """A queue of events and the thread that hands them to the listeners.

    Whoever changes a container never waits for a listener, and a listener may call the
    engine.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._queue: SimpleQueue[ContainerEvent | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="container-events", daemon=True)

    def start(self) -> None:
        """Start handing over, with what was published before."""
        self._thread.start()

    def subscribe(self, listener: Listener) -> None:
        """Add a listener for what is handed over from now on."""
        self._listeners.append(listener)

    def publish(self, event: ContainerEvent) -> None:
        """Queue an event; never blocks."""
        self._queue.put(event)

    def close(self) -> None:
        """Hand over what is queued, and end the thread. Idempotent."""
        self._queue.put(None)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            for listener in tuple(self._listeners):
                self._hand(listener, event)

    def _hand(self, listener: Listener, event: ContainerEvent) -> None:
        try:
            listener(event)
        except AgentError:
            logger.exception("a listener failed on a change of container %s", event.container_id)
