"""The store survives being killed at any moment, and several at work in it at once."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.engines.native.images.store import ImageStore
from agents.engines.specs import PruneSpec
from agents.linux import mounts
from tests.agents.native.image_files import (
    file,
    folder,
    make_tar,
    needs_root,
    write_docker_archive,
)

pytestmark = [pytest.mark.root, needs_root]

KILLS = 15
# Takes in an image, makes another of it, prunes, and begins again, until it is killed.
CHILD = """
import sys
from pathlib import Path
from agents.engines.native.containers.changes import make_layer
from agents.engines.native.images import transfer
from agents.engines.native.images.config import HistoryEntry
from agents.engines.native.images.store import ImageStore
from agents.engines.specs import PruneSpec
root = Path(sys.argv[1])
store = ImageStore(root / "root")
print("ready", flush=True)
while True:
    image = store.import_archive(root / "saved.tar")
    step = HistoryEntry(created_by="test")
    make = lambda draft: make_layer(root / "upper", (), draft)
    transfer.add_layer(store, image, make, step, ("made",))
    store.remove("saved:1")
    store.prune(PruneSpec(all=True), lambda: {store.find("kept").id})
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    many = [folder("many"), *(file(f"many/{number}", b"x" * 999) for number in range(300))]
    top = make_tar([file("many/.wh.7"), file("top", os.urandom(100_000))])
    return write_docker_archive(tmp_path / "saved.tar", [make_tar(many), top])


@pytest.fixture
def kept(tmp_path: Path) -> str:
    """The id of an image that is always in use."""
    path = write_docker_archive(tmp_path / "kept.tar", [make_tar([file("a", b"1")])], ["kept:1"])
    store = ImageStore(tmp_path / "root")
    image = store.import_archive(path)
    store.tag("kept:1", "kept")
    return image.id


def check(root: Path, kept: str) -> None:
    """Repair the store, and see that there is exactly what the index says."""
    store = ImageStore(root / "root")
    store.repair()
    images = root / "root/images"
    needed = set()
    for record in store.list():
        image = store.find(record.id)
        needed |= set(image.diff_ids)
        for diff_id in image.diff_ids:
            store.layers.write_tar(diff_id, lambda _: None)
    assert {f"sha256:{one.name}" for one in (images / "layers").iterdir()} == needed
    assert list((images / "drafts").iterdir()) == []
    assert {f"sha256:{one.name}" for one in (images / "blobs/sha256").iterdir()} == {
        one.id for one in store.list()
    }
    assert store.find("kept").id == kept
    assert not any(root in one.target.parents for one in mounts.read_mounts())


def test_a_store_killed_at_any_moment_is_made_good(
    tmp_path: Path, archive: Path, kept: str
) -> None:
    (tmp_path / "upper").mkdir()
    for number in range(50):
        (tmp_path / f"upper/{number}").write_bytes(b"y" * 500)
    chance = random.Random(7)
    for _ in range(KILLS):
        argv = [sys.executable, "-c", CHILD, tmp_path]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(chance.uniform(0.0, 0.25))
            child.send_signal(signal.SIGKILL)
        check(tmp_path, kept)


def test_many_at_work_at_once_leave_a_whole_store(tmp_path: Path, archive: Path, kept: str) -> None:
    def work(number: int) -> None:
        store = ImageStore(tmp_path / "root")
        store.import_archive(archive, f"mine:{number}")
        store.prune(PruneSpec(), lambda: {kept})
        store.remove(f"mine:{number}")
        if number % 4 == 0:
            store.repair()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    ImageStore(tmp_path / "root").remove("saved:1")
    check(tmp_path, kept)
    assert len(ImageStore(tmp_path / "root").list()) == 1


def test_an_image_that_is_being_used_is_not_pruned(tmp_path: Path, archive: Path) -> None:
    store = ImageStore(tmp_path / "root")
    image = store.import_archive(archive)
    with store.using("saved:1"):
        assert store.prune(PruneSpec(all=True)).removed == ()
    assert store.prune(PruneSpec(all=True)).removed == (image.id,)


def test_pruning_tells_the_bytes_that_the_disk_got_back(tmp_path: Path, archive: Path) -> None:
    store = ImageStore(tmp_path / "root")
    store.import_archive(archive)
    used = used_below(tmp_path / "root")
    pruned = store.prune(PruneSpec(all=True))
    assert pruned.freed == pytest.approx(used - used_below(tmp_path / "root"), abs=16 << 10)
    assert pruned.freed > 300 * 999


def test_layers_are_freed_once_a_running_import_has_ended(tmp_path: Path, archive: Path) -> None:
    store = ImageStore(tmp_path / "root")
    store.import_archive(archive)
    with store.building():
        assert store.prune(PruneSpec(all=True)).freed < 100_000
        assert len(list((tmp_path / "root/images/layers").iterdir())) == 2
    assert list((tmp_path / "root/images/layers").iterdir()) == []


def used_below(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))
