"""Named volumes are made, filled, found and removed."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.engines.native.volumes import VolumeStore, content
from agents.engines.specs import VolumeSpec
from agents.errors import InvalidInputError, NotFoundError, OutOfSpaceError
from agents.linux import mounts
from tests.agents.native.image_files import needs_root

pytestmark = [pytest.mark.root, needs_root]


@pytest.fixture
def volumes(tmp_path: Path) -> VolumeStore:
    return VolumeStore(tmp_path, tmp_path / "run")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "image/data"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/file").write_text("content")
    (folder / "link").symlink_to("sub/file")
    (folder / "sub/file").chmod(0o640)
    os.chown(folder / "sub/file", 7, 8)
    folder.chmod(0o2770)
    return folder


def data_of(volumes: VolumeStore, name: str) -> Path:
    return Path(volumes.find(name).mountpoint)


def test_a_volume_is_made_once_and_keeps_what_it_holds(volumes: VolumeStore) -> None:
    made = volumes.create(VolumeSpec(name="db", labels={"a": "b"}))
    (Path(made.mountpoint) / "row").write_text("1")
    assert volumes.create(VolumeSpec(name="db")) == made
    assert (Path(made.mountpoint) / "row").read_text() == "1"


def test_volumes_are_listed_by_labels(volumes: VolumeStore) -> None:
    volumes.create(VolumeSpec(name="one", labels={"project": "x", "n": "1"}))
    volumes.create(VolumeSpec(name="two", labels={"project": "y"}))
    assert [one.name for one in volumes.list()] == ["one", "two"]
    assert [one.name for one in volumes.list({"project": "x"})] == ["one"]


def test_removing_twice_succeeds(volumes: VolumeStore, tmp_path: Path) -> None:
    volumes.create(VolumeSpec(name="db"))
    volumes.remove("db")
    volumes.remove("db")
    assert list((tmp_path / "volumes").iterdir()) == []
    with pytest.raises(NotFoundError):
        volumes.find("db")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "-x", ".hidden", "a b", "x" * 300])
def test_a_bad_name_is_refused_everywhere(volumes: VolumeStore, name: str) -> None:
    for act in (lambda: volumes.create(VolumeSpec(name=name)), lambda: volumes.remove(name)):
        with pytest.raises(InvalidInputError):
            act()


def test_an_empty_volume_is_filled_from_the_image(volumes: VolumeStore, source: Path) -> None:
    volumes.create(VolumeSpec(name="db"))
    assert content.populate(volumes, "db", source)
    data = data_of(volumes, "db")
    found = (data / "sub/file").stat()
    assert (data / "link").read_text() == "content"
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (7, 8, 0o640)
    assert data.stat().st_mode & 0o7777 == 0o2770


def test_a_volume_that_holds_something_is_not_filled(volumes: VolumeStore, source: Path) -> None:
    volumes.create(VolumeSpec(name="db"))
    (data_of(volumes, "db") / "mine").touch()
    assert not content.populate(volumes, "db", source)
    assert [path.name for path in data_of(volumes, "db").iterdir()] == ["mine"]


def test_filling_from_nothing_is_no_error(volumes: VolumeStore, tmp_path: Path) -> None:
    volumes.create(VolumeSpec(name="db"))
    assert not content.populate(volumes, "db", tmp_path / "none")


def test_a_full_disk_leaves_the_volume_empty(tmp_path: Path, source: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts.mount_tmpfs(disk, size=1 << 20)
    try:
        volumes = VolumeStore(disk, tmp_path / "run")
        volumes.create(VolumeSpec(name="db"))
        (source / "big").write_bytes(bytes(2 << 20))
        with pytest.raises(OutOfSpaceError):
            content.populate(volumes, "db", source)
        assert content.is_empty(volumes, "db")
        assert [path.name for path in (disk / "volumes").iterdir()] == ["db"]
    finally:
        mounts.unmount(disk)


def test_one_volume_is_made_by_many_at_once(volumes: VolumeStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: volumes.create(VolumeSpec(name="db")), range(32)))
    assert len({one.mountpoint for one in found}) == 1


def test_repair_removes_what_a_crash_left(volumes: VolumeStore, tmp_path: Path) -> None:
    volumes.create(VolumeSpec(name="db"))
    (tmp_path / "volumes/.draft-1/_data").mkdir(parents=True)
    volumes.repair()
    assert [path.name for path in (tmp_path / "volumes").iterdir()] == ["db"]
