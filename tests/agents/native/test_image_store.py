"""Images are imported, named, found and removed, whole or not at all."""

import gzip
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from backports import zstd

from agents.engines.native.images import busybox
from agents.engines.native.images.store import ImageStore
from agents.errors import (
    AgentError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    OutOfSpaceError,
)
from agents.linux import mounts
from tests.agents.native.image_files import (
    file,
    folder,
    make_tar,
    needs_root,
    write_docker_archive,
    write_oci_archive,
)

pytestmark = [pytest.mark.root, needs_root]

BASE = make_tar([folder("etc"), file("etc/motd", b"hello")])
TOP = make_tar([file("etc/.wh.motd"), file("etc/top", b"top")])


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "root")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_docker_archive(tmp_path / "saved.tar", [BASE, TOP], Cmd=["/run"], Env=["A=b"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts.mount_tmpfs(disk, size=1 << 20)
    yield disk
    mounts.unmount(disk)


def layers_of(store_root: Path) -> list[str]:
    return [path.name for path in (store_root / "root/images/layers").iterdir()]


def drafts_of(store_root: Path) -> list[str]:
    return [path.name for path in (store_root / "root/images/drafts").iterdir()]


def test_a_docker_archive_is_imported_with_its_names(store: ImageStore, archive: Path) -> None:
    image = store.import_archive(archive)
    assert image.references == ("saved:1",)
    assert (image.config.cmd, image.config.env) == (("/run",), ("A=b",))
    assert [(layer / "etc").is_dir() for layer in image.layers] == [True, True]
    assert (image.layers[0] / "etc/motd").read_text() == "hello"
    assert image.size == len("hello") + len("top")
    assert store.list() == (image.record(),)


def test_an_oci_archive_is_imported(store: ImageStore, tmp_path: Path) -> None:
    image = store.import_archive(write_oci_archive(tmp_path / "oci.tar", [BASE, TOP]), "also:2")
    assert image.references == ("also:2", "oci:1")
    assert len(image.layers) == 2


def test_the_same_image_has_the_same_id_however_it_came(store: ImageStore, archive: Path) -> None:
    packed = archive.with_suffix(".gz")
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    assert store.import_archive(archive).id == store.import_archive(packed).id
    assert len(store.list()) == 1


def test_a_root_file_system_is_imported_by_name(store: ImageStore, tmp_path: Path) -> None:
    path = tmp_path / "rootfs.tar"
    path.write_bytes(BASE)
    image = store.import_archive(path, "my/rootfs")
    assert image.references == ("my/rootfs:latest",)
    assert store.find("docker.io/my/rootfs").id == image.id


def test_a_root_file_system_needs_a_name(store: ImageStore, tmp_path: Path) -> None:
    path = tmp_path / "rootfs.tar"
    path.write_bytes(BASE)
    with pytest.raises(InvalidInputError) as caught:
        store.import_archive(path)
    assert caught.value.field == "reference"


@pytest.mark.parametrize("text", ["Upper", "a//b", "a:b:c", "", "x@sha256:12", "f" * 64])
def test_a_bad_name_is_refused_before_anything_is_done(
    store: ImageStore, archive: Path, text: str
) -> None:
    image = store.import_archive(archive)
    with pytest.raises(InvalidInputError):
        store.tag(image.id, text)


def test_images_are_found_by_name_id_and_its_beginning(store: ImageStore, archive: Path) -> None:
    image = store.import_archive(archive)
    for text in ("saved:1", "docker.io/library/saved:1", image.id, image.id[7:], image.id[7:19]):
        assert store.find(text).id == image.id
    with pytest.raises(NotFoundError):
        store.find("saved:2")


def test_a_name_moves_to_the_newer_image(store: ImageStore, tmp_path: Path, archive: Path) -> None:
    old = store.import_archive(archive)
    other = write_docker_archive(tmp_path / "new.tar", [BASE], ["saved:1"])
    new = store.import_archive(other)
    assert store.find("saved:1").id == new.id
    assert store.find(old.id).references == ()


def test_an_image_goes_with_its_last_name(store: ImageStore, archive: Path, tmp_path: Path) -> None:
    store.import_archive(archive)
    store.tag("saved:1", "other")
    store.remove("saved:1")
    assert store.find("other").references == ("other:latest",)
    store.remove("other")
    assert store.list() == ()
    assert layers_of(tmp_path) == []


def test_an_image_in_use_stays(store: ImageStore, archive: Path) -> None:
    image = store.import_archive(archive)
    with pytest.raises(ConflictError, match="uses"):
        store.remove("saved:1", lambda: {image.id})
    assert store.find("saved:1").id == image.id


def test_layers_that_another_image_needs_stay(
    store: ImageStore, archive: Path, tmp_path: Path
) -> None:
    store.import_archive(archive)
    other = store.import_archive(write_docker_archive(tmp_path / "b.tar", [BASE], ["base:1"]))
    store.remove("saved:1")
    assert (other.layers[0] / "etc/motd").is_file()
    assert len(layers_of(tmp_path)) == 1


def test_pruning_removes_the_unnamed_images_that_nobody_uses(
    store: ImageStore, archive: Path, tmp_path: Path
) -> None:
    old = store.import_archive(archive)
    store.import_archive(write_docker_archive(tmp_path / "b.tar", [BASE], ["saved:1"]))
    assert store.prune(in_use=lambda: {old.id}).removed == ()
    assert store.prune().removed == (old.id,)
    assert len(layers_of(tmp_path)) == 1


def test_a_wrong_layer_is_refused_and_nothing_is_left(
    store: ImageStore, tmp_path: Path, archive: Path
) -> None:
    data = archive.read_bytes().replace(b"hello", b"jello")
    archive.write_bytes(data)
    with pytest.raises(InvalidInputError, match="unpacks to"):
        store.import_archive(archive)
    assert (store.list(), layers_of(tmp_path), drafts_of(tmp_path)) == ((), [], [])


def test_good_layers_beside_a_wrong_one_are_removed_again(
    store: ImageStore, tmp_path: Path, archive: Path
) -> None:
    archive.write_bytes(archive.read_bytes().replace(b"top", b"tip"))
    with pytest.raises(InvalidInputError):
        store.import_archive(archive)
    assert layers_of(tmp_path) == []


@pytest.mark.parametrize(
    "data", [b"", b"no tar at all" * 100, gzip.compress(BASE)[:-30], BASE[:1100]]
)
def test_a_damaged_archive_is_refused(store: ImageStore, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.tar"
    path.write_bytes(data)
    with pytest.raises(InvalidInputError):
        store.import_archive(path, "bad")
    assert (layers_of(tmp_path), drafts_of(tmp_path)) == ([], [])


def test_a_zstd_archive_is_imported(store: ImageStore, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(zstd.compress(make_tar([file("a", b"A")])))
    image = store.import_archive(path, "x")
    assert (image.layers[0] / "a").read_bytes() == b"A"


def test_a_damaged_zstd_archive_is_refused(store: ImageStore, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    with pytest.raises(InvalidInputError, match="damaged"):
        store.import_archive(path, "x")


def test_xz_is_said_to_be_not_supported(store: ImageStore, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(b"\xfd7zXZ" + bytes(100))
    with pytest.raises(NotSupportedError, match="xz"):
        store.import_archive(path, "x")


def test_a_missing_archive_is_said_to_be_missing(store: ImageStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        store.import_archive(tmp_path / "none.tar")


def test_a_full_disk_leaves_nothing_half_made(small_disk: Path, archive: Path) -> None:
    store = ImageStore(small_disk / "root")
    kept = store.import_archive(archive)
    big = make_tar([file("big", os.urandom(2 << 20))])
    large = write_docker_archive(archive.with_name("big.tar"), [BASE, big], ["big:1"])
    with pytest.raises(OutOfSpaceError):
        store.import_archive(large)
    assert store.list() == (kept.record(),)
    assert len(layers_of(small_disk)) == 2
    assert drafts_of(small_disk) == []


def test_repair_removes_what_a_crash_left(store: ImageStore, tmp_path: Path, archive: Path) -> None:
    image = store.import_archive(archive)
    images = tmp_path / "root/images"
    (images / "drafts/abc/diff").mkdir(parents=True)
    (images / f"layers/{'0' * 64}/diff").mkdir(parents=True)
    (images / f"blobs/sha256/{'1' * 64}").write_text("{}")
    ImageStore(tmp_path / "root").repair()
    assert drafts_of(tmp_path) == []
    assert len(layers_of(tmp_path)) == 2
    assert store.find(image.id).id == image.id
    assert [path.name for path in (images / "blobs/sha256").iterdir()] == [image.id[7:]]


def test_repair_leaves_alone_what_others_work_on(store: ImageStore, tmp_path: Path) -> None:
    with store.layers.draft() as draft, store.building():
        ImageStore(tmp_path / "root").repair()
        assert draft.diff.is_dir()


def test_a_layer_that_was_not_synced_before_a_reboot_is_not_trusted(
    store: ImageStore, tmp_path: Path, archive: Path
) -> None:
    image = store.import_archive(archive)
    note = image.layers[0].parent / "layer.json"
    assert json.loads(note.read_text()) == {"size": 5}
    note.write_text(json.dumps({"size": 5, "boot": "an earlier one"}))
    assert not store.layers.has(image.diff_ids[0])
    store.import_archive(archive)
    assert store.layers.has(image.diff_ids[0])


def test_imports_at_the_same_time_do_not_disturb_each_other(tmp_path: Path, archive: Path) -> None:
    def import_one(_: int) -> str:
        return ImageStore(tmp_path / "root").import_archive(archive).id

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(import_one, range(16)))
    assert len(found) == 1
    assert drafts_of(tmp_path) == []
    assert len(layers_of(tmp_path)) == 2


def test_the_busybox_image_is_always_the_same(store: ImageStore, tmp_path: Path) -> None:
    try:
        first = busybox.seed(store, tmp_path)
    except AgentError as exc:
        pytest.skip(exc.message)
    store.remove("busybox")
    assert busybox.seed(store, tmp_path).id == first.id
    assert (first.layers[0] / "bin/sh").exists()
    assert oct((first.layers[0] / "tmp").stat().st_mode)[-4:] == "1777"
