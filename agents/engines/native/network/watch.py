"""Notices what others do to our networks: rules that are flushed, resolvers that end."""

import logging
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

from agents.engines.native.network.enforcer import Enforcer
from agents.engines.native.network.foreign import DOCKER_CHAIN
from agents.errors import AgentError

logger = logging.getLogger(__name__)

# Netlink's family for packet filters and its group of changes; see linux/netfilter/nfnetlink.h.
_NETFILTER = 12
_CHANGES = 1 << 6
_HEADER = struct.Struct("=IHHII")

# Changes come in bursts; how long it must have been quiet, in seconds. Longer when something
# had to be mended, so as not to race another program that keeps taking it away.
_QUIET = 0.05
_AFTER_MENDING = 1.0


class Watch:
    """A thread for one agent's networks, in the namespace of the thread that starts it."""

    def __init__(self, enforcer: Enforcer) -> None:
        self._enforcer = enforcer
        self._names = (enforcer.table.encode(), DOCKER_CHAIN.encode())
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread: threading.Thread | None = None
        self._closing = False
        self._wait = _QUIET
        self._retry: float | None = None
        self._revived = 0.0

    def start(self) -> None:
        """Begin to watch. Idempotent."""
        if self._thread is None and not self._closing:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            news = socket.socket(socket.AF_NETLINK, kind, _NETFILTER)
            news.bind((0, _CHANGES))
            self._thread = threading.Thread(
                target=self._run, args=(news,), name="network-watch", daemon=True
            )
            self._thread.start()

    def look_again(self) -> None:
        """Have it watch the resolvers that there are now."""
        if not self._closing:
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """End the thread. Idempotent."""
        if self._closing:
            return
        self._closing = True
        os.eventfd_write(self._wake, 1)
        if self._thread is not None:
            self._thread.join()
        os.close(self._wake)

    def _run(self, news: socket.socket) -> None:
        with ExitStack() as stack:
            stack.enter_context(news)
            while not self._closing:
                try:
                    self._turn(news)
                except (AgentError, OSError):
                    logger.exception("the networks are not watched for a second")
                    time.sleep(_AFTER_MENDING)

    def _turn(self, news: socket.socket) -> None:
        resolvers = self._enforcer.resolver_pidfds()
        ready = _poll((news.fileno(), self._wake, *resolvers), self._retry)
        if self._wake in ready:
            os.eventfd_read(self._wake)
        if self._closing:
            return
        if not ready or ready & set(resolvers):
            self._revive()
        if news.fileno() in ready and self._concerns_us(news):
            self._let_settle(news)
            self._wait = _AFTER_MENDING if self._enforcer.mend() else _QUIET

    def _revive(self) -> None:
        # One that ends as soon as it is started is started once a second.
        early = time.monotonic() - self._revived < _AFTER_MENDING
        if early:
            _poll((self._wake,), _AFTER_MENDING)
        self._revived = time.monotonic()
        self._retry = None if self._enforcer.revive() else _AFTER_MENDING

    def _let_settle(self, news: socket.socket) -> None:
        end = time.monotonic() + _AFTER_MENDING
        while _poll((news.fileno(),), self._wait) and time.monotonic() < end:
            _drain(news)

    def _concerns_us(self, news: socket.socket) -> bool:
        return any(self._is_foreign(datagram) for datagram in _drain(news))

    def _is_foreign(self, datagram: bytes) -> bool:
        if not datagram:
            return True
        _, _, _, _, port_id = _HEADER.unpack_from(datagram)
        return not self._enforcer.is_own(port_id) and any(one in datagram for one in self._names)


def _poll(fds: tuple[int, ...], seconds: float | None) -> set[int]:
    poller = select.poll()
    for fd in fds:
        poller.register(fd, select.POLLIN)
    return {fd for fd, _ in poller.poll(None if seconds is None else round(seconds * 1000))}


def _drain(news: socket.socket) -> list[bytes]:
    return list(_receive(news))


def _receive(news: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield news.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            # More came than the socket holds (ENOBUFS): anything may have happened.
            yield b""
            return
