"""A pull that is killed at any moment, pulls at the same time, and the memory of a large one."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.errors import OutOfSpaceError
from agents.linux import mounts
from tests.agents.native.image_files import file, make_tar, needs_root
from tests.agents.native.registry.conftest import Shop, make_shop
from tests.contracts.bench import unique
from tests.cutting_proxy import cutting_proxy
from tests.registries import Registry
from tests.registry_images import Publisher, layer
from tests.waiting import wait_until

pytestmark = [needs_root, pytest.mark.root]

CHILD = """
import re, sys
from pathlib import Path
from agents.engines.base import never
from agents.engines.native.images.store import ImageStore
from agents.engines.native.registry.service import RegistryService
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
root = Path(sys.argv[1])
service = RegistryService(root, ImageStore(root))
before = peak()
print("ready", flush=True)
service.pull(sys.argv[2], "", None, lambda one: print(one.state, flush=True), never)
print(peak() - before)
"""
ROUNDS = 12


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    path = tmp_path / "small"
    path.mkdir()
    mounts.mount_tmpfs(path, size=8 << 20)
    try:
        yield path
    finally:
        mounts.unmount(path)


def start(shop: Shop, reference: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", CHILD, str(shop.root), reference]
    return subprocess.Popen(argv, stdout=subprocess.PIPE)


def kill_somewhere(child: subprocess.Popen[bytes], seconds: float) -> bytes:
    """Kill a child after so many seconds of its work; return what it said."""
    assert child.stdout is not None
    child.stdout.readline()
    timer = threading.Timer(seconds, child.send_signal, (signal.SIGKILL,))
    timer.start()
    said = child.communicate()[0]
    timer.cancel()
    return said


def test_a_pull_killed_at_any_moment_is_repaired_and_resumed(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("killed")
    reference = f"{registry.name}/{name}:1"
    layers = [layer(f"{number}", os.urandom(4 << 20)) for number in range(4)]
    publisher.image(name, "1", layers)
    chance = random.Random(7)
    ended = 0
    for _ in range(ROUNDS):
        child = start(shop, reference)
        kill_somewhere(child, chance.uniform(0.0, 0.4))
        ended += child.returncode == 0
        shop.images.repair()
        assert list((shop.root / "images/drafts").iterdir()) == []
        kept = shop.left()
        assert len(kept) == (4 if shop.images.list() else 0)
        if shop.images.list():
            shop.images.remove(reference)
    assert ended < ROUNDS
    image = shop.pull(reference)
    assert [one.name for path in image.layers for one in path.iterdir()] == list("0123")
    assert list((shop.root / "images/downloads").iterdir()) == []


def test_after_a_kill_only_the_rest_is_fetched(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("killed")
    publisher.image(name, "1", [layer("big", os.urandom(4 << 20))])
    with cutting_proxy(registry.name) as proxy:
        proxy.held_after = 2 << 20
        child = start(shop, f"{proxy.name}/{name}:1")
        # What went through the proxy may not have been read yet.
        wait_until(lambda: sum(shop.downloads()) >= 3 << 19, "most of two megabytes to come")
        child.kill()
        child.communicate()
        proxy.gate.set()
        shop.images.repair()
        proxy.passed = 0
        assert shop.pull(f"{proxy.name}/{name}:1")
        assert proxy.passed < 3 << 20


def test_the_same_image_is_pulled_by_several_at_once_and_fetched_once(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("together")
    put = publisher.image(name, "1", [layer("big", os.urandom(2 << 20)), layer("b")])
    reference = f"{registry.name}/{name}:1"
    shops = [make_shop(shop.root) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda one: one.pull(reference), shops))
    assert {one.id for one in images} == {put.config}
    fetched = [line for line in registry.log().splitlines() if f"/blobs/{put.blobs[0]}" in line]
    assert sum('"http.request.method":"GET"' in line for line in fetched) <= 2


def test_a_full_disk_is_told_and_given_back(
    registry: Registry, publisher: Publisher, small_disk: Path
) -> None:
    name = unique("full")
    publisher.image(name, "1", [layer("big", os.urandom(6 << 20))])
    shop = make_shop(small_disk / "engine")
    before = shutil.disk_usage(small_disk).free
    with pytest.raises(OutOfSpaceError):
        shop.pull(f"{registry.name}/{name}:1")
    assert shop.left() == []
    assert shutil.disk_usage(small_disk).free > before - 100_000


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_large_layer_takes_little_memory(
    shop: Shop, registry: Registry, publisher: Publisher, packing: str
) -> None:
    """What is measured is the growth of a process of its own, in KiB."""
    name = unique("large")
    block = os.urandom(1 << 20)
    files = [file(f"{number}", block * 32) for number in range(4)]
    publisher.image(name, "1", [make_tar(files)], packing=packing)
    child = start(shop, f"{registry.name}/{name}:1")
    said = child.communicate()[0].decode().splitlines()
    assert child.returncode == 0
    assert int(said[-1]) < 32 * 1024
