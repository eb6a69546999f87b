"""Whether a started engine has what it said it has, and the host has nothing else of it."""

import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.containers.paths import passages
from agents.engines.native.engine import NativeEngine
from agents.engines.native.network.subnets import link_name
from agents.errors import NotFoundError
from agents.linux import mounts, netlink, process
from agents.protocol.records import ContainerRecord
from tests.agents.native.storm.tale import ANY, GONE, RUNNING, STOPPED, Tale
from tests.native_engine import NativeHome
from tests.waiting import wait_until

MARK = "STORM"
# An element of the map of published ports, and any address of our pool.
_FORWARD = re.compile(r"(?:tcp|udp) \. (?:[0-9.]+ \. )?([0-9]+) : ")
_ADDRESS = re.compile(r"10\.21[0-9]\.[0-9]+\.[0-9]+")
_PASSING = ("starting", "stopping", "restarting")
_ALIVE = ("running", "paused")
_DEADLINE = 15.0


@dataclass
class Survey:
    """Looks at one engine, which works in a network namespace where nothing else is."""

    engine: NativeEngine
    home: NativeHome
    tale: Tale
    links_before: frozenset[str]
    cgroups_before: frozenset[Path] = frozenset()

    def faults(self) -> list[str]:
        """Return what is wrong, in words; empty if all is well.

        What the engine does by itself after its start, such as restarts, has some seconds.
        """
        found: list[str] = []

        def well() -> bool:
            found[:] = self._faults()
            return not found

        try:
            wait_until(well, "all to be well", _DEADLINE)
        except AssertionError:
            return found
        return []

    def _faults(self) -> list[str]:
        self.containers = {one.name: one for one in self.engine.list_containers()}
        self.alive = {one.id: one for one in self.containers.values() if one.state in _ALIVE}
        try:
            return [
                *self._unsettled(),
                *self._wrong_containers(),
                *self._wrong_others(),
                *self._strange_mounts(),
                *self._strange_links(),
                *self._strange_rules(),
                *self._strange_cgroups(),
                *self._strange_files(),
                *self._processes(),
                *self._resolvers(),
            ]
        except (FileNotFoundError, NotFoundError) as exc:
            return [f"something went away meanwhile: {exc}"]

    def _unsettled(self) -> Iterator[str]:
        for record in self.containers.values():
            if record.state in _PASSING:
                yield f"the container {record.name} is still {record.state}"

    # what the engine says

    def _wrong_containers(self) -> Iterator[str]:
        expected = self.tale.names("c")
        for name in self.containers.keys() - expected.keys():
            yield f"nobody made the container {name}"
        for name, state in expected.items():
            record = self.containers.get(name)
            if record is None:
                if state not in (ANY, GONE):
                    yield f"the container {name}, {state}, is lost"
            elif state == GONE:
                yield f"the container {name} is there again"
            else:
                yield from self._wrong_state(record, state)

    def _wrong_state(self, record: ContainerRecord, state: str) -> Iterator[str]:
        runs = record.state in _ALIVE
        if (state == RUNNING and record.state != "running") or (state == STOPPED and runs):
            yield f"the container {record.name} should be {state}, and is {record.state}"
            return
        if not runs:
            return
        init = self.engine._parts.containers.find(record.id).status.init
        if init is None or not process.is_running(init.pid):
            yield f"the first process of {record.name} is not there"
            return
        known = self.tale.pids.get(f"c:{record.name}")
        if state == RUNNING and known not in (None, init.pid):
            yield f"the container {record.name} was restarted"
        yield from self._silent(record)

    def _silent(self, record: ContainerRecord) -> Iterator[str]:
        """A container that is to serve answers at its addresses and its published ports."""
        if "serve" not in record.labels or record.state == "paused":
            return
        places = [(one.ipv4_address, 80) for one in record.endpoints]
        places += [("127.0.0.1", port.host_port) for port in record.ports]
        for place in places:
            if not answers(place):
                yield f"the container {record.name} does not answer at {place}"

    def _wrong_others(self) -> Iterator[str]:
        anonymous = {
            name for one in self.engine._parts.containers.list() for name in one.manifest.anonymous
        }
        volumes = {one.name for one in self.engine.list_volumes()}
        found = {
            "v": volumes - anonymous,
            "n": {one.name for one in self.engine.list_networks()},
            "i": {name for one in self.engine.list_images() for name in one.references},
        }
        for name in anonymous - volumes:
            yield f"the anonymous volume {name} is lost"
        for kind, names in found.items():
            expected = self.tale.names(kind)
            for name in names - expected.keys():
                yield f"nobody made {kind}:{name}"
            for name, state in expected.items():
                if state != ANY and (name in names) != (state != GONE):
                    yield f"{kind}:{name} should be {state}, and is not"

    # what the host has

    def _strange_mounts(self) -> Iterator[str]:
        places = (self.home.folder, passages(self.home.root))
        for entry in mounts.read_mounts():
            ours = any(entry.target.is_relative_to(one) for one in places)
            if ours and not set(entry.target.parts) & (self.alive.keys() | self._volumes_in_use()):
                yield f"a mount is left: {entry.target}"

    def _volumes_in_use(self) -> set[str]:
        return {
            name
            for one in self.engine._parts.containers.list()
            if one.id in self.alive
            for name in one.manifest.volumes.values()
        }

    def _strange_links(self) -> Iterator[str]:
        networks = {one.name: one.id for one in self.engine.list_networks()}
        wanted = {link_name("wp", one): name for name, one in networks.items()}
        for record in self.alive.values():
            for endpoint in record.endpoints:
                link = link_name("wv", record.id, networks[endpoint.network])
                wanted[link] = f"{record.name} on {endpoint.network}"
        found = {one.name for one in netlink.list_links()} - self.links_before
        yield from (f"an interface is left: {name}" for name in found - wanted.keys())
        yield from (
            f"an interface is lost: {name}, {wanted[name]}" for name in wanted.keys() - found
        )

    def _strange_rules(self) -> Iterator[str]:
        rules = process.run(("nft", "list", "ruleset")).text()
        ports = {port.host_port for one in self.alive.values() for port in one.ports}
        places = {one.ipv4_address for live in self.alive.values() for one in live.endpoints}
        for network in self.engine.list_networks():
            places |= {network.gateway, network.subnet.partition("/")[0]}
        for port in {int(found) for found in _FORWARD.findall(rules)} - ports:
            yield f"a rule is left for port {port}"
        for port in ports - {int(found) for found in _FORWARD.findall(rules)}:
            yield f"a rule is lost for port {port}"
        for address in set(_ADDRESS.findall(rules)) - places:
            yield f"a rule is left for the address {address}"

    def _strange_cgroups(self) -> Iterator[str]:
        for path in build_cgroups() - self.cgroups_before:
            if not _read(path / "cgroup.procs"):
                yield f"a cgroup of a build is left: {path}"
        for parent in Path("/sys/fs/cgroup").glob(f"**/webpanel-{self.home.uid}"):
            for path in parent.iterdir():
                if path.is_dir() and path.name not in self.alive:
                    yield f"a cgroup is left: {path}"

    def _strange_files(self) -> Iterator[str]:
        known = {one.id for one in self.containers.values()}
        root, run = self.home.root, self.home.run
        yield from _others(root / "containers", known)
        yield from _others(root / "networks/attachments", {f"{one}.json" for one in self.alive})
        yield from _others(root / "volumes", {one.name for one in self.engine.list_volumes()})
        yield from _others(root / "images/drafts", set())
        networks = {f"{one.id}.json" for one in self.engine.list_networks()}
        yield from _others(root / "networks", networks | {"attachments"})
        for name in ("containers", "runtime"):
            yield from _others(run / name, set(self.alive))
        yield from _others(passages(root), set(self.alive))
        yield from _others(run / "mounts", set())
        yield from _others(run / "volumes", self._volumes_in_use())
        images = [self.engine.find_image(one.id).id for one in self.engine.list_images()]
        yield from _others(root / "images/blobs/sha256", {one.split(":")[1] for one in images})

    def _resolvers(self) -> Iterator[str]:
        """Each network, and each set of networks, has one resolver at most."""
        folder = f"{self.home.run}/dns/"
        commands = [_read(path / "cmdline").decode() for path in Path("/proc").glob("[0-9]*")]
        found = [one for one in commands if folder in one and one.startswith("dnsmasq")]
        networks = {one.id for one in self.engine.list_networks()}
        for one in found:
            key = one.partition(folder)[2].removesuffix("\0").removesuffix(".conf")
            if found.count(one) > 1 or not set(key.split("-")) <= networks:
                yield f"a resolver is left for {key}"

    def _processes(self) -> Iterator[str]:
        # The name that it was made with stays in its environment.
        names = {one.labels["mark"] for one in self.alive.values()}
        for path in Path("/proc").iterdir():
            if not path.name.isdigit() or int(path.name) in (os.getpid(), os.getppid()):
                continue
            command, environment = _read(path / "cmdline"), _read(path / "environ")
            mark = f"{MARK}={self.home.uid}-".encode()
            if mark in environment:
                name = environment.partition(mark)[2].partition(b"\0")[0].decode()
                if name not in names:
                    yield f"a process of {name} is left: {path.name} {command!r}"
            elif f"{self.home.folder}/".encode() in command:
                words = set(command.decode(errors="replace").split("\0"))
                # Its monitor, or its first process just before it becomes the program.
                if not words & self.alive.keys() and b"dnsmasq" not in command:
                    yield f"a process is left: {path.name} {command!r}"


def _others(folder: Path, known: set[str]) -> Iterator[str]:
    if folder.is_dir():
        for name in {path.name for path in folder.iterdir()} - known:
            yield f"a file is left: {folder / name}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ProcessLookupError):
        return b""


def answers(place: tuple[str, int]) -> bool:
    """Return whether a program accepts connections there."""
    try:
        with socket.create_connection(place, timeout=1.0):
            return True
    except OSError:
        return False


def build_cgroups() -> frozenset[Path]:
    """Return the cgroups of builds of anybody on this machine."""
    top = Path("/sys/fs/cgroup")
    return frozenset((*top.glob("webpanel-build-*"), *top.glob("*/webpanel-build-*")))
