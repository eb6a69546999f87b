"""A native engine for tests, in folders of its own, and the proof that it left nothing behind."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agents.engines.base import Engine
from agents.engines.native.containers.paths import passages
from agents.engines.native.engine import NativeEngine
from agents.engines.native.images import busybox
from agents.engines.native.images.store import ImageStore
from agents.engines.native.network.subnets import link_name
from agents.engines.specs import ContainerSpec
from agents.errors import NotSupportedError
from agents.linux import mounts, netlink, process
from agents.protocol.records import ContainerRecord
from tests.waiting import wait_until

PROGRAMS = ("crun", "conmon", "nft", "dnsmasq", "nsenter")


def require_native() -> None:
    """Skip the test, with the reason, on a machine that cannot run containers."""
    if os.geteuid() != 0:
        pytest.skip("the native engine needs root")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@dataclass(frozen=True)
class NativeHome:
    """The folders of one native engine, of which several may be made one after the other."""

    folder: Path
    uid: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @contextmanager
    def engine(self) -> Iterator[NativeEngine]:
        """A started engine; closed afterwards, while its containers go on."""
        engine = NativeEngine(self.root, self.run, self.uid)
        engine.start()
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def native_home(folder: Path) -> Iterator[NativeHome]:
    """A place for engines, with the image ``busybox``; afterwards nothing of it is left."""
    require_native()
    home = NativeHome(folder)
    home.root.mkdir(parents=True, mode=0o711)
    try:
        busybox.seed(ImageStore(home.root), folder)
    except NotSupportedError as exc:
        pytest.skip(exc.message)
    try:
        yield home
    finally:
        with home.engine() as engine:
            clear(engine)
    assert_nothing_left(home)


@contextmanager
def native_engine(folder: Path) -> Iterator[NativeEngine]:
    """A started engine in a place of its own; afterwards nothing of it is left."""
    with native_home(folder) as home, home.engine() as engine:
        yield engine


def clear(engine: Engine) -> None:
    """Remove all containers, networks and volumes; the networks' bridges must be gone."""
    for container in engine.list_containers():
        engine.remove_container(container.id, force=True)
    for network in engine.list_networks():
        engine.remove_network(network.name)
        assert netlink.find_link(link_name("wp", network.id)) is None
    for volume in engine.list_volumes():
        engine.remove_volume(volume.name)


def assert_nothing_left(home: NativeHome) -> None:
    """Check that no mount, process, cgroup or packet rule of an engine is there."""
    assert [one for one in mounts.read_mounts() if one.target.is_relative_to(home.folder)] == []
    assert not passages(home.root).exists()
    # Not "**": others make and remove cgroups while we look.
    top, name = Path("/sys/fs/cgroup"), f"webpanel-{home.uid}"
    assert [*top.glob(name), *top.glob(f"*/{name}")] == []
    table = link_name("webpanel_", str(home.root.resolve()))
    assert table not in process.run(("nft", "list", "tables")).text()
    wait_until(lambda: processes_of(home.folder) == [], "the engine's processes to end")


def processes_of(folder: Path) -> list[int]:
    """Return the processes that have a path below ``folder`` on their command line."""
    needle = f"{folder}/".encode()
    return [pid for pid in _numbers() if pid != os.getpid() and needle in _command(pid)]


def _numbers() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def run_here(engine: Engine, script: str, **fields: Any) -> ContainerRecord:
    """Create and start a container that runs a script."""
    name = f"c{secrets.token_hex(5)}"
    spec = ContainerSpec(name=name, image="busybox", command=("sh", "-c", script), **fields)
    return engine.start_container(engine.create_container(spec).id)
