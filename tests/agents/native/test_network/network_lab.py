"""A small world for network tests: a host of its own, its containers, a machine beside it.

All are network namespaces; nothing of the real host's network is touched. A socket opened
inside a namespace stays there, so servers and clients are plain sockets of the test.
"""

import os
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path
from typing import Any, TypeVar

from agents.engines.native.network import Networks, Request
from agents.linux import namespaces, netlink
from agents.linux.sysctls import write_sysctl

T = TypeVar("T")
A, AAAA, PTR = 1, 28, 12
NO_ERROR, NO_SUCH_NAME = 0, 3


class Place:
    """A network namespace that ends with the test."""

    def __init__(self, stack: ExitStack, path: Path) -> None:
        self.enter(stack, path)

    def enter(self, stack: ExitStack, path: Path) -> None:
        """Make the namespace."""
        self.path = path
        self.stack = stack
        namespaces.create_network_namespace(path)
        stack.callback(namespaces.remove_network_namespace, path)
        netlink.bring_loopback_up(path)

    def run(self, function: Callable[[], T]) -> T:
        return namespaces.run_inside(self.path, function)

    def serve(self, port: int, answer: str, address: str = "0.0.0.0") -> None:
        """Answer every TCP connection with a text and the peer's address; "::" is both families."""
        six = address == "::"
        family = socket.AF_INET6 if six else socket.AF_INET
        server = self.run(
            lambda: socket.create_server((address, port), family=family, dualstack_ipv6=six)
        )
        thread = threading.Thread(target=_answer_all, args=(server, answer))
        thread.start()
        self.stack.callback(thread.join)
        self.stack.callback(server.close)
        self.stack.callback(server.shutdown, socket.SHUT_RDWR)

    def ask(self, address: str, port: int, timeout: float = 3.0) -> str:
        """Return what a server answers. Raises OSError when none does."""
        with self.run(lambda: socket.create_connection((address, port), timeout)) as one:
            return one.recv(100).decode()

    def resolve(
        self, name: str, server: str, kind: int = A, **options: Any
    ) -> tuple[int, set[str]]:
        return self.run(lambda: query(name, server, kind, **options))


def _answer_all(server: socket.socket, answer: str) -> None:
    while True:
        try:
            one, peer = server.accept()
        except OSError:
            return
        with one:
            one.sendall(f"{answer} {peer[0]}".encode())


class Container(Place):
    def __init__(self, stack: ExitStack, folder: Path, name: str) -> None:
        self.id = uuid.uuid4().hex * 2
        self.name = name
        super().__init__(stack, folder / "netns" / name)

    def request(self, **fields: Any) -> Request:
        return Request(container_id=self.id, name=self.name, namespace=self.path, **fields)


class Host(Place):
    """A machine with an agent; calls of ``networks`` run in its namespace."""

    def __init__(self, stack: ExitStack, folder: Path, path: Path | None = None) -> None:
        super().__init__(stack, path or folder / "host")
        self.folder = folder
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        if path is None:
            # A new namespace takes this over from the machine that the tests run on.
            self.run(lambda: write_sysctl("net/ipv4/ip_forward", "0"))
        self.networks: Any = None
        self.restart_agent()
        stack.callback(self._clean_up)

    def restart_agent(self, alive: tuple[str, ...] = ()) -> None:
        self.end_agent()
        networks = Networks(
            self.folder / "root", self.folder / "run", nameservers=self.folder / "resolv.conf"
        )
        self.run(lambda: networks.adopt(alive))
        self.networks = _Inside(self, networks)

    def end_agent(self) -> None:
        if self.networks is not None:
            self.networks.close()
            self.networks = None

    def _clean_up(self) -> None:
        self.restart_agent()
        for network in self.networks.list():
            self.networks.remove(network.name)
        self.end_agent()

    def container(self, name: str) -> Container:
        return Container(self.stack, self.folder, name)

    def neighbour(self) -> Place:
        """Return a machine at 192.168.77.2; the host has 192.168.77.1 on that side."""
        place = Place(self.stack, self.folder / "neighbour")
        cable = netlink.Cable(
            host_name="lan1",
            bridge="lan0",
            name="eth0",
            mac_address="02:00:00:00:77:02",
            addresses=(IPv4Interface("192.168.77.2/24"), IPv6Interface("fd77::2/64")),
            gateways=(IPv4Address("192.168.77.1"), IPv6Address("fd77::1")),
        )
        addresses = (IPv4Interface("192.168.77.1/24"), IPv6Interface("fd77::1/64"))
        self.run(lambda: netlink.create_bridge("lan0", addresses, "02:00:00:00:77:01"))
        self.run(lambda: netlink.connect(cable, place.path))
        return place


class _Inside:
    def __init__(self, place: Place, target: object) -> None:
        self._place = place
        self._target = target

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        return lambda *args, **kwargs: self._place.run(lambda: method(*args, **kwargs))


def query(
    name: str, server: str, kind: int = A, *, tcp: bool = False, timeout: float = 3.0
) -> tuple[int, set[str]]:
    """Ask a name server (RFC 1035); return the response code and the data of the answers."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = labels + struct.pack(">BHH", 0, kind, 1)
    message = os.urandom(2) + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + question
    with socket.socket(type=socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as one:
        one.settimeout(timeout)
        one.connect((server, 53))
        one.sendall(struct.pack(">H", len(message)) + message if tcp else message)
        reply = one.recv(4096)[2 if tcp else 0 :]
    flags, _, answers = struct.unpack_from(">HHH", reply, 2)
    return flags & 15, set(_answers(reply, 12 + len(question), answers))


def _answers(reply: bytes, offset: int, count: int) -> list[str]:
    found = []
    for _ in range(count):
        kind, _, _, length = struct.unpack_from(">HHIH", reply, offset + 2)
        data = reply[offset + 12 : offset + 12 + length]
        found.append(socket.inet_ntoa(data) if kind == A else data.hex())
        offset += 12 + length
    return found


def eventually(condition: Callable[[], bool], deadline: float = 5.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
