"""What volumes hold travels whole, is measured as the disk counts it, and is never half there."""

import io
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.volumes import VolumeStore, content
from agents.engines.specs import VolumeSpec
from agents.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    OutOfSpaceError,
)
from agents.linux import mounts
from tests.agents.native.image_files import needs_root
from tests.contracts.volumes import tar_of

pytestmark = [pytest.mark.root, needs_root]
HOLDER = "a" * 64


@pytest.fixture
def volumes(tmp_path: Path) -> Iterator[VolumeStore]:
    yield VolumeStore(tmp_path / "root", tmp_path / "run")
    assert [one for one in mounts.read_mounts() if one.target.is_relative_to(tmp_path)] == []


def make(volumes: VolumeStore, name: str, **options: str) -> Path:
    return Path(volumes.create(VolumeSpec(name=name, options=options)).mountpoint)


def exported(volumes: VolumeStore, name: str) -> bytes:
    stream = io.BytesIO()
    content.export(volumes, name, stream.write)
    return stream.getvalue()


def test_holes_and_attributes_travel(volumes: VolumeStore) -> None:
    one, other = make(volumes, "one"), make(volumes, "other")
    with (one / "holes").open("wb") as file:
        file.write(b"start")
        file.seek(200 << 20)
        file.write(b"end")
    os.setxattr(one / "holes", "user.colour", b"red\0\xff")
    os.mknod(one / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (one / ".wh.plain").write_text("no whiteout here")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(one / "socket"))
    archive = exported(volumes, "one")
    assert len(archive) < 1 << 20
    content.replace(volumes, "other", io.BytesIO(archive))
    found = (other / "holes").stat()
    assert (found.st_size, found.st_blocks < 1000) == ((200 << 20) + 3, True)
    assert (other / "holes").read_bytes()[-3:] == b"end"
    assert os.getxattr(other / "holes", "user.colour") == b"red\0\xff"
    assert (other / "null").stat().st_rdev == os.makedev(1, 3)
    assert (other / ".wh.plain").read_text() == "no whiteout here"
    assert not (other / "socket").exists()


def test_the_owner_and_mode_of_the_volume_itself_travel(volumes: VolumeStore) -> None:
    one, other = make(volumes, "one"), make(volumes, "other")
    one.chmod(0o2750)
    os.chown(one, 70, 71)
    content.replace(volumes, "other", io.BytesIO(exported(volumes, "one")))
    found = other.stat()
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o2750, 70, 71)


def test_a_reader_that_goes_away_ends_the_export(volumes: VolumeStore) -> None:
    (make(volumes, "one") / "big").write_bytes(os.urandom(4 << 20))

    def refuse(_: bytes) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        content.export(volumes, "one", refuse)
    assert volumes.holders("one") == frozenset()


def test_an_archive_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts.mount_tmpfs(disk, size=1 << 20)
    try:
        volumes = VolumeStore(disk, tmp_path / "run")
        (make(volumes, "one") / "old").touch()
        with pytest.raises(OutOfSpaceError):
            content.replace(volumes, "one", io.BytesIO(tar_of(*(str(n) for n in range(2000)))))
        assert [path.name for path in (disk / "volumes").iterdir()] == ["one"]
        assert [path.name for path in Path(volumes.find("one").mountpoint).iterdir()] == ["old"]
    finally:
        mounts.unmount(disk)


def test_an_archive_that_ends_too_early_changes_nothing(volumes: VolumeStore) -> None:
    (make(volumes, "one") / "old").touch()
    whole = tar_of("a", "b")
    for length in (0, 100, 512, 1536, 2048, 3072):
        with pytest.raises(InvalidInputError):
            content.replace(volumes, "one", io.BytesIO(whole[:length]))
    assert [path.name for path in Path(volumes.find("one").mountpoint).iterdir()] == ["old"]


def test_sizes_count_blocks_and_a_file_of_two_names_once(volumes: VolumeStore) -> None:
    one, two = make(volumes, "one"), make(volumes, "two")
    (one / "file").write_bytes(os.urandom(1 << 20))
    (one / "name").hardlink_to(one / "file")
    with (two / "holes").open("wb") as file:
        file.truncate(1 << 30)
    make(volumes, "elsewhere", type="tmpfs", device="tmpfs")
    found = content.sizes(volumes)
    assert 1 << 20 <= found["one"] < (1 << 20) + 65_536
    assert found["two"] < 65_536
    assert set(found) == {"one", "two"}


def test_pruned_bytes_are_given_back(volumes: VolumeStore, tmp_path: Path) -> None:
    (make(volumes, "one") / "file").write_bytes(os.urandom(1 << 20))
    make(volumes, "held")
    volumes.hold("held", HOLDER)
    with volumes.reserved(["reserved"]):
        make(volumes, "reserved")
        pruned = content.clear(content.bury(volumes, ["one", "held", "reserved", "none"]))
    assert pruned.names == ("one",)
    assert pruned.size >= 1 << 20
    assert sorted(path.name for path in (tmp_path / "root/volumes").iterdir()) == [
        "held",
        "reserved",
    ]
    volumes.release(HOLDER)


def test_a_volume_is_mounted_for_its_first_holder_until_the_last(
    volumes: VolumeStore, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    data = make(volumes, "one", type="none", device=str(tmp_path / "source"), o="bind")
    volumes.hold("one", HOLDER)
    volumes.hold("one", "b" * 64)
    (data / "file").touch()
    assert [path.name for path in (tmp_path / "source").iterdir()] == ["file"]
    assert len([one for one in mounts.read_mounts() if one.target == data]) == 1
    volumes.release(HOLDER)
    assert mounts.is_mounted(data)
    with pytest.raises(ConflictError):
        volumes.remove("one")
    volumes.release("b" * 64)
    assert not mounts.is_mounted(data)
    volumes.remove("one")
    assert (tmp_path / "source/file").exists()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"type": "none", "device": "/nowhere/x", "o": "bind"}, NotFoundError, "/nowhere/x"),
        ({"type": "none", "device": "relative", "o": "bind"}, InvalidInputError, "absolute"),
        ({"type": "cuddlefs", "device": "x"}, NotSupportedError, "cuddlefs"),
        ({"type": "tmpfs", "device": "tmpfs", "o": "size=lots"}, InvalidInputError, "mounted"),
        ({"type": "nfs", "device": "no.such.invalid:/x", "o": "ro"}, NotFoundError, "no.such"),
    ],
)
def test_what_cannot_be_mounted_is_told(
    volumes: VolumeStore, options: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        volumes.hold(volumes.create(VolumeSpec(name="one", options=options)).name, HOLDER)
    volumes.release(HOLDER)


def test_what_is_mounted_in_a_volume_is_not_removed_with_it(
    volumes: VolumeStore, tmp_path: Path
) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    target = make(volumes, "one") / "sub"
    target.mkdir()
    mounts.bind(tmp_path / "precious", target)
    try:
        with pytest.raises(ConflictError, match="sub"):
            volumes.remove("one")
    finally:
        mounts.unmount(target)
    assert (tmp_path / "precious/file").exists()


def test_a_crash_in_an_act_leaves_nothing_held_or_mounted(
    volumes: VolumeStore, tmp_path: Path
) -> None:
    data = make(volumes, "one", type="tmpfs", device="tmpfs")
    volumes.hold("one", "export-1234")
    mounts.mount_tmpfs(make(volumes, "two", type="tmpfs", device="tmpfs"))
    VolumeStore(tmp_path / "root", tmp_path / "run").repair()
    assert not mounts.is_mounted(data)
    assert volumes.holders("one") == frozenset()


def test_a_volume_in_use_is_filled_where_it_is(volumes: VolumeStore, tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/file").touch()
    data = make(volumes, "one")
    volumes.hold("one", HOLDER)
    before = data.stat().st_ino
    assert content.populate(volumes, "one", tmp_path / "image", holder="b" * 64)
    assert (data.stat().st_ino, (data / "file").exists()) == (before, True)
    volumes.release(HOLDER)
