"""An event loop in a thread, for processes that have none of their own (the worker).

``async_to_sync`` would make a loop, and a Redis connection, for every single call.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future

logger = logging.getLogger(__name__)

_loop: asyncio.AbstractEventLoop | None = None


def start() -> None:
    """Start the loop's thread; does nothing if it runs."""
    global _loop
    if _loop is None:
        _loop = asyncio.new_event_loop()
        threading.Thread(target=_loop.run_forever, name="background-loop", daemon=True).start()


def stop() -> None:
    """Stop the loop; what was submitted and has not ended is dropped."""
    global _loop
    if _loop is not None:
        _loop.call_soon_threadsafe(_loop.stop)
        _loop = None


def is_running() -> bool:
    """Say whether :func:`start` was called in this process."""
    return _loop is not None


def submit(coroutine: Coroutine[object, object, object]) -> None:
    """Run the coroutine in the loop; does not wait, and logs what it raises."""
    if _loop is None:
        coroutine.close()
        raise RuntimeError("background.start() was not called")
    asyncio.run_coroutine_threadsafe(coroutine, _loop).add_done_callback(_log_failure)


def _log_failure(future: "Future[object]") -> None:
    if not future.cancelled() and (error := future.exception()):
        logger.warning("A background call failed: %s", error)
