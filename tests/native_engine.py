"""A native engine for tests, in folders of its own, and the proof that it left nothing behind."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.engines.base import Engine
from agents.engines.native.engine import NativeEngine
from agents.engines.native.images import busybox
from agents.engines.native.images.store import ImageStore
from agents.engines.native.network.subnets import link_name
from agents.errors import NotSupportedError
from agents.linux import mounts, netlink, process
from tests.waiting import wait_until

PROGRAMS = ("crun", "conmon", "nft", "dnsmasq", "unshare")


def require_native() -> None:
    """Skip the test, with the reason, on a machine that cannot run containers."""
    if os.geteuid() != 0:
        pytest.skip("the native engine needs root")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@contextmanager
def native_engine(folder: Path) -> Iterator[NativeEngine]:
    """A started engine with the image ``busybox``; afterwards nothing of it is left."""
    require_native()
    uid = secrets.token_hex(4)
    root, run = folder / "root", folder / "run"
    root.mkdir(parents=True, mode=0o711)
    try:
        busybox.seed(ImageStore(root), folder)
    except NotSupportedError as exc:
        pytest.skip(exc.message)
    engine = NativeEngine(root, run, uid)
    engine.start()
    try:
        yield engine
    finally:
        clear(engine)
        engine.close()
    assert_nothing_left(folder, uid)


def clear(engine: Engine) -> None:
    """Remove all containers, networks and volumes; the networks' bridges must be gone."""
    for container in engine.list_containers():
        engine.remove_container(container.id, force=True)
    for network in engine.list_networks():
        engine.remove_network(network.name)
        assert netlink.find_link(link_name("wp", network.id)) is None
    for volume in engine.list_volumes():
        engine.remove_volume(volume.name)


def assert_nothing_left(folder: Path, uid: str) -> None:
    """Check that no mount, process, cgroup or packet rule of an engine is there."""
    root = folder / "root"
    assert [one for one in mounts.read_mounts() if one.target.is_relative_to(folder)] == []
    assert list(Path("/sys/fs/cgroup").glob(f"**/webpanel-{uid}")) == []
    table = link_name("webpanel_", str(root.resolve()))
    assert table not in process.run(("nft", "list", "tables")).text()
    wait_until(lambda: processes_of(folder) == [], "the engine's processes to end")


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
