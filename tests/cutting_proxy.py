"""A TCP proxy on loopback that breaks, slows or refuses what goes through it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_PIECE = 1 << 14


@dataclass
class CuttingProxy:
    """Passes on to ``target``; a connection's answers are cut after ``cuts``, in bytes.

    Each connection takes the first of ``cuts``; without one it lives on. While ``gate`` is
    not set, what a connection gets past ``held_after`` bytes waits.
    """

    target: str
    cuts: list[int] = field(default_factory=list)
    held_after: int | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    name: str = ""
    passed: int = 0

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            cut = self.cuts.pop(0) if self.cuts else None
            threading.Thread(target=self._connect, args=(client, cut), daemon=True).start()

    def _connect(self, client: socket.socket, cut: int | None) -> None:
        host, _, port = self.target.partition(":")
        with client, socket.create_connection((host, int(port))) as server:
            back = threading.Thread(target=self._copy, args=(client, server), daemon=True)
            back.start()
            self._answer(server, client, cut)
            for one in (client, server):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            back.join()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                target.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket, cut: int | None) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := server.recv(_PIECE):
                if self.held_after is not None and sent >= self.held_after:
                    self.gate.wait()
                data = data if cut is None else data[: cut - sent]
                client.sendall(data)
                sent += len(data)
                self.passed += len(data)
                if sent == cut:
                    return


@contextmanager
def cutting_proxy(target: str) -> Iterator[CuttingProxy]:
    """Listen on loopback for the time of the block."""
    proxy = CuttingProxy(target)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.name = f"127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.gate.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
