"""How the threads of one pull or push learn that it is over."""

import threading
from collections.abc import Callable
from types import TracebackType

from agents.engines.base import Cancelled
from agents.errors import CancelledError

_STEP = 0.1


class Stop:
    """Asks ``cancelled`` again and again while it is entered, from a thread of its own.

    ``interrupt`` is called once when the work must end, whoever wants that.
    """

    def __init__(self, cancelled: Cancelled, interrupt: Callable[[], None]) -> None:
        self._cancelled = cancelled
        self._interrupt = interrupt
        self._over = threading.Event()
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="registry-cancel", daemon=True)

    def __enter__(self) -> "Stop":
        if self._cancelled():
            self.stop()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._finished.set()
        self._thread.join()

    def stop(self) -> None:
        """End the work: one of its parts has failed. Idempotent."""
        if not self._over.is_set():
            self._over.set()
            self._interrupt()

    def check(self) -> None:
        """Raise ``CancelledError`` if the work is over."""
        if self._over.is_set():
            raise CancelledError("The transfer was cancelled.")

    def wait(self, seconds: float) -> None:
        """Sleep, but not past the end of the work. Raises ``CancelledError``."""
        self._over.wait(seconds)
        self.check()

    def _watch(self) -> None:
        while not self._finished.wait(_STEP):
            if self._cancelled():
                self.stop()
                return
