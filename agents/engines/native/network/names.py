"""Name resolution: small dnsmasq processes that know the containers of a network.

There is one resolver for each *view*: for a network, and for each set of networks that a
container is on at the same time, as such a container sees the names of them all while its
neighbours must not. A resolver listens on a gateway's address and a port of its own; the
packet rules bring questions for port 53 there. It daemonises, so it outlives the agent,
and is found again by its files in the run folder.

What it knows is a hosts file, read again on SIGHUP (0.2 ms, no question is lost); other
names go to the host's own name servers. See docs/decisions/0003-network-names.md.
"""

import logging
import os
import shutil
import signal
import socket
import stat
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

from agents.engines.native.network.files import replace_text
from agents.engines.native.network.ports import probe
from agents.engines.native.network.records import Address
from agents.errors import NotFoundError, NotSupportedError, ProgramError
from agents.linux import process
from agents.linux.failures import kernel_errors
from agents.linux.orphans import end_orphans

logger = logging.getLogger(__name__)

HOST_NAMESERVERS = Path("/etc/resolv.conf")

_ATTEMPTS = 5

# A question (RFC 1035) for the plain name "x", which a resolver does not pass on.
_QUESTION = b"\0\1\1\0\0\1\0\0\0\0\0\0\1x\0\0\1\0\1"
_ANSWER_TIME, _ANSWER_ATTEMPTS = 0.05, 40


@dataclass(frozen=True, kw_only=True)
class View:
    """What one resolver answers. ``key`` names it; ``hosts`` are addresses with their names.

    ``servers`` are asked for all other names, the host's own when empty.
    """

    key: str
    gateway: IPv4Address
    hosts: tuple[tuple[Address, tuple[str, ...]], ...]
    servers: tuple[str, ...] = ()

    def to_hosts(self) -> str:
        """Return the hosts(5) file of the view."""
        return "".join(f"{address} {' '.join(names)}\n" for address, names in self.hosts if names)


class Resolvers:
    """The resolvers of one agent, with their files in ``<run>/dns``.

    Not safe for two callers at once; :class:`Enforcer` holds the lock. Each is watched by a
    pidfd, so that one whose names did not change costs nothing.
    """

    def __init__(self, run: Path, nameservers: Path = HOST_NAMESERVERS) -> None:
        self._folder = run / "dns"
        self._nameservers = nameservers
        self._running: dict[str, _Running] = {}

    def serve(self, views: Iterable[View]) -> dict[str, int]:
        """Let exactly these views be answered; return the port of each by its key.

        Resolvers start, learn, or stop as needed. Idempotent. A start takes about 7 ms.
        """
        ports = {view.key: self._serve_one(view) for view in views}
        self._stop_others(ports)
        return ports

    def _serve_one(self, view: View) -> int:
        known = self._running.get(view.key)
        if known is not None and process.wait_pidfd(known.pidfd, 0):
            self._forget(view.key)
            known = None
        if known is None:
            known = self._running[view.key] = self._take_up(view)
        elif known.view != view:
            _Resolver(self._folder, view.key).write_hosts(view.to_hosts())
            process.send_signal(known.pidfd, signal.SIGHUP)
            # Once it has answered, it reads its names before it takes another question.
            _await_answer(view.gateway, known.port)
            self._running[view.key] = replace(known, view=view)
        return known.port

    def _take_up(self, view: View) -> "_Running":
        """Find the process of a view, from before this agent's start, or start it."""
        resolver = _Resolver(self._folder, view.key)
        resolver.write_hosts(view.to_hosts())
        resolver.reload()
        port, pid = resolver.port(), resolver.process_id()
        if port is None or pid is None:
            resolver.end_all()
            port = resolver.start(view.gateway, port, self._upstream(view))
            pid = resolver.process_id()
        if pid is None:
            raise NotFoundError(f"the resolver of the view {view.key} ended at once")
        return _Running(view=view, port=port, pidfd=process.open_pidfd(pid))

    def _upstream(self, view: View) -> str:
        if view.servers:
            return "".join(["no-resolv\n", *(f"server={one}\n" for one in view.servers)])
        return f"resolv-file={self._nameservers}\n"

    def _stop_others(self, keep: Collection[str]) -> None:
        for key in self._running.keys() - set(keep):
            self._forget(key)
        for path in self._folder.glob("*.conf"):
            if path.stem not in keep:
                _Resolver(self._folder, path.stem).stop()
        if not keep and self._folder.is_dir():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _forget(self, key: str) -> None:
        os.close(self._running.pop(key).pidfd)

    def pidfds(self) -> tuple[int, ...]:
        """Return the pidfds of all resolvers; see pidfd_open(2)."""
        return tuple(one.pidfd for one in self._running.values())

    def close(self) -> None:
        """Let go of the resolvers, which go on. Idempotent."""
        for key in tuple(self._running):
            self._forget(key)


@dataclass(frozen=True, kw_only=True)
class _Running:
    """A resolver that runs, with what it was told last."""

    view: View
    port: int
    pidfd: int


def _await_answer(gateway: IPv4Address, port: int) -> None:
    """Wait until a resolver answers: before, it does not hear a SIGHUP either."""
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.settimeout(_ANSWER_TIME)
        one.connect((str(gateway), port))
        for _ in range(_ANSWER_ATTEMPTS):
            one.send(_QUESTION)
            with suppress(TimeoutError, ConnectionRefusedError):
                one.recv(512)
                return
    logger.warning("the resolver at %s port %d does not answer", gateway, port)


class _Resolver:
    """One dnsmasq and its files."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._conf = folder / f"{key}.conf"
        self._hosts = folder / f"{key}.hosts"
        self._pid = folder / f"{key}.pid"

    def write_hosts(self, text: str) -> None:
        """Write the hosts file, whole or not at all."""
        with kernel_errors("write", self._hosts):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        replace_text(self._hosts, text)

    def port(self) -> int | None:
        """Return the port of the configuration, or None when there is none yet."""
        try:
            first = self._conf.read_text().partition("\n")[0]
            return int(first.removeprefix("port="))
        except (FileNotFoundError, ValueError):
            return None

    def process_id(self) -> int | None:
        """Return the process when it runs; another one with a recycled number is not it."""
        try:
            pid = int(self._pid.read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if f"--conf-file={self._conf}".encode() in arguments else None

    def reload(self) -> None:
        """Make the running process read its hosts file again."""
        pid = self.process_id()
        if pid is not None:
            process.signal_process(pid, signal.SIGHUP)

    def start(self, gateway: IPv4Address, port: int | None, upstream: str) -> int:
        """Start the process and return its port, the former one if it is still free.

        Returns when it answers.
        """
        for attempt in range(_ATTEMPTS):
            if port is None or attempt:
                port = probe("udp", str(gateway), 0)
            self._write_conf(gateway, port, upstream)
            try:
                process.run(["dnsmasq", f"--conf-file={self._conf}"])
            except ProgramError as exc:
                self._refuse_if_missing(exc)
                logger.warning("a resolver did not start on port %d: %s", port, exc)
                failure = exc
            else:
                _await_answer(gateway, port)
                return port
        self.stop()
        raise failure

    def _refuse_if_missing(self, exc: ProgramError) -> None:
        if exc.exit_code == process.NOT_FOUND:
            self.stop()
            raise NotSupportedError(
                "networks need dnsmasq, which is not installed",
                hint="Install it: apt-get install dnsmasq-base",
            ) from exc

    def _write_conf(self, gateway: IPv4Address, port: int, upstream: str) -> None:
        replace_text(
            self._conf,
            f"port={port}\n"
            f"listen-address={gateway}\n"
            "bind-interfaces\n"
            "no-hosts\n"
            f"addn-hosts={self._hosts}\n"
            f"{upstream}"
            f"pid-file={self._pid}\n"
            f"user={self._user()}\n"
            # Plain names are ours alone: unknown ones are answered, not passed on.
            "domain-needed\n"
            "dns-loop-detect\n"
            "cache-size=1000\n"
            "log-facility=/dev/null\n",
        )

    def _user(self) -> str:
        """Return who dnsmasq becomes: nobody, if nobody can read its files when they change."""
        for folder in (self._folder, *self._folder.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                logger.warning("%s is closed, so the resolver runs as root", folder)
                return "root"
        return "nobody"

    def stop(self) -> None:
        """End the process and remove its files. Idempotent."""
        self.end_all()
        for path in (self._pid, self._hosts, self._conf):
            path.unlink(missing_ok=True)

    def end_all(self) -> None:
        """End the process, also one whose number was not written down yet. Idempotent."""
        pid = self.process_id()
        if pid is not None:
            process.stop(pid)
        elif self._conf.exists():
            ours = f"--conf-file={self._conf}".encode()
            end_orphans(lambda arguments: ours in arguments)
