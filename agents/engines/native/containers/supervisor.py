"""Waits for processes to end and for times to come, and then has things done.

One thread waits for everything; what is to be done runs in a few threads of a pool, so a
slow act holds up neither the others nor the waiting.
"""

import heapq
import itertools
import logging
import os
import select
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from agents.errors import NotFoundError
from agents.linux import process

logger = logging.getLogger(__name__)

WORKERS = 4
Act = Callable[[], None]
Read = Callable[[], bool]


class Supervisor:
    """The thread, its pool, and what they wait for. All methods may be called from any thread.

    Once it is closed nothing is waited for any more, and what it is asked for is not done.
    """

    def __init__(self) -> None:
        self._poller = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poller.register(self._wake, select.EPOLLIN)
        self._lock = threading.Lock()
        self._ends: dict[int, Act] = {}
        self._inputs: dict[int, Read] = {}
        self._times: list[tuple[float, int, Act]] = []
        self._order = itertools.count()
        self._closing = False
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="container-act")
        self._thread = threading.Thread(target=self._run, name="container-watch", daemon=True)

    def start(self) -> None:
        """Start waiting."""
        self._thread.start()

    def on_end(self, pid: int, act: Act) -> None:
        """Do ``act`` once process ``pid`` has ended, which need not be a child of ours."""
        try:
            pidfd = process.open_pidfd(pid)
        except NotFoundError:
            self.soon(act)
            return
        with self._lock:
            if self._closing:
                os.close(pidfd)
                return
            self._ends[pidfd] = act
            self._poller.register(pidfd, select.EPOLLIN)

    def on_input(self, fd: int, read: Read) -> None:
        """Call ``read`` whenever there is input, on the thread that waits for everything.

        So it must not block. It returns whether more is wanted. The caller owns ``fd``, and
        closes it after :meth:`drop_input`.
        """
        with self._lock:
            if not self._closing:
                self._inputs[fd] = read
                self._poller.register(fd, select.EPOLLIN)

    def drop_input(self, fd: int) -> None:
        """Stop calling for a file descriptor. Idempotent."""
        with self._lock:
            if self._inputs.pop(fd, None) is not None and not self._closing:
                self._poller.unregister(fd)

    def after(self, delay: float, act: Act) -> None:
        """Do ``act`` in ``delay`` seconds."""
        with self._lock:
            # After the end the number of its descriptor may mean somebody else's file.
            if not self._closing:
                heapq.heappush(self._times, (monotonic() + delay, next(self._order), act))
                os.eventfd_write(self._wake, 1)

    def soon(self, act: Act) -> None:
        """Do ``act`` now, in the pool; not at all when closing."""
        with self._lock:
            if not self._closing:
                self._pool.submit(_guarded, act)

    def close(self) -> None:
        """Stop waiting; what has begun is done to its end. Blocks for that. Idempotent."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        if self._thread.is_alive():
            os.eventfd_write(self._wake, 1)
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for pidfd in self._ends:
            os.close(pidfd)
        self._poller.close()
        os.close(self._wake)

    def _run(self) -> None:
        while not self._closing:
            for fd, _ in self._poller.poll(self._next_time()):
                if fd == self._wake:
                    os.eventfd_read(self._wake)
                elif fd in self._ends:
                    self._end(fd)
                else:
                    self._input(fd)
            self._do_due()

    def _next_time(self) -> float | None:
        with self._lock:
            return max(0.0, self._times[0][0] - monotonic()) if self._times else None

    def _input(self, fd: int) -> None:
        read = self._inputs.get(fd)
        if read is not None and not read():
            self.drop_input(fd)

    def _end(self, pidfd: int) -> None:
        if not process.wait_pidfd(pidfd, 0):
            # News of a file descriptor that had the same number a moment ago.
            return
        with self._lock:
            act = self._ends.pop(pidfd)
            self._poller.unregister(pidfd)
            os.close(pidfd)
        self.soon(act)

    def _do_due(self) -> None:
        while True:
            with self._lock:
                if not self._times or self._times[0][0] > monotonic():
                    return
                act = heapq.heappop(self._times)[2]
            self.soon(act)


def _guarded(act: Act) -> None:
    try:
        act()
    except Exception:  # the outer edge of a thread: nobody above can be told
        logger.exception("an act on a container failed")
