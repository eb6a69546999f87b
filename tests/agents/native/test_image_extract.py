"""Layers are unpacked as overlayfs needs them, and never outside of their folder."""

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.images.folders import OPAQUE
from agents.engines.native.images.pack import measure, write_tar
from agents.engines.native.images.unpacking import unpack
from agents.errors import InvalidInputError, PathEscapeError
from tests.agents.native.image_files import (
    Member,
    digest,
    file,
    folder,
    link,
    make_tar,
    member,
    needs_root,
)

pytestmark = [pytest.mark.root, needs_root]


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_text("untouched")
    made = tmp_path / "layer"
    made.mkdir(mode=0o755)
    return made


@pytest.fixture(autouse=True)
def nothing_outside_changes(tmp_path: Path) -> Iterator[None]:
    yield
    assert (tmp_path / "outside").read_text() == "untouched"
    assert {path.name for path in tmp_path.iterdir()} <= {"outside", "layer", "again", "x.tar"}


def unpack_all(layer: Path, *members: Member) -> int:
    root = os.open(layer, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return unpack(io.BytesIO(make_tar(members)), root)
    finally:
        os.close(root)


def test_files_keep_owner_mode_time_and_content(layer: Path) -> None:
    size = unpack_all(layer, file("bin/su", b"abc", mode=0o4755, uid=7, gid=8, mtime=1234))
    found = (layer / "bin/su").stat()
    assert size == 3
    assert (layer / "bin/su").read_bytes() == b"abc"
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o4755, 7, 8)
    assert found.st_mtime == 1234


def test_folders_keep_their_times_though_files_come_later(layer: Path) -> None:
    unpack_all(layer, folder("a", mtime=1000, mode=0o1777), file("a/b"))
    assert (layer / "a").stat().st_mtime == 1000
    assert stat.S_IMODE((layer / "a").stat().st_mode) == 0o1777


def test_folders_that_the_archive_leaves_out_are_open_to_all(layer: Path) -> None:
    before = os.umask(0o077)
    try:
        unpack_all(layer, file("a/b/c"))
    finally:
        os.umask(before)
    assert [stat.S_IMODE((layer / name).stat().st_mode) for name in ("a", "a/b")] == [0o755] * 2


def test_links_and_devices_are_made(layer: Path) -> None:
    device = member("null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666), b""
    unpack_all(
        layer,
        file("one", b"1"),
        link("two", "one", tarfile.LNKTYPE),
        link("three", "/etc/passwd"),
        device,
    )
    assert (layer / "one").stat().st_ino == (layer / "two").stat().st_ino
    assert (layer / "three").readlink() == Path("/etc/passwd")
    assert (layer / "null").stat().st_rdev == os.makedev(1, 3)


def test_attributes_are_kept(layer: Path) -> None:
    info, content = file("a", b"1")
    info.pax_headers = {"SCHILY.xattr.user.colour": "blue"}
    unpack_all(layer, (info, content))
    assert os.getxattr(layer / "a", "user.colour") == b"blue"


def test_a_whiteout_becomes_the_device_that_overlayfs_reads(layer: Path) -> None:
    unpack_all(layer, file("etc/.wh.motd"))
    found = (layer / "etc/motd").lstat()
    assert stat.S_ISCHR(found.st_mode)
    assert found.st_rdev == 0


def test_an_opaque_mark_hides_what_is_below_the_folder(layer: Path) -> None:
    unpack_all(layer, folder("etc"), file("etc/.wh..wh..opq"), file("etc/new"))
    assert os.getxattr(layer / "etc", OPAQUE) == b"y"
    assert [path.name for path in (layer / "etc").iterdir()] == ["new"]


def test_a_whiteout_hides_only_what_is_below_its_layer(layer: Path) -> None:
    unpack_all(layer, file("kept", b"1"), file(".wh.kept"))
    assert (layer / "kept").read_bytes() == b"1"


def test_a_folder_in_place_of_a_whiteout_is_opaque(layer: Path) -> None:
    unpack_all(layer, file(".wh.a"), folder("a"), file("a/b"))
    assert os.getxattr(layer / "a", OPAQUE) == b"y"


def test_later_members_replace_earlier_ones(layer: Path) -> None:
    unpack_all(layer, folder("a"), file("a/b"), file("a", b"file"), file("c"), folder("c"))
    assert (layer / "a").read_bytes() == b"file"
    assert (layer / "c").is_dir()


@pytest.mark.parametrize(
    "members",
    [
        [file("../outside", b"x")],
        [file("a/../../outside", b"x")],
        [file("/outside", b"x")],
        [link("up", ".."), file("up/outside", b"x")],
        [link("up", "/"), folder("up/etc")],
        [folder("d"), link("d", ".."), file("d/outside", b"x")],
        [link("hard", "../outside", tarfile.LNKTYPE)],
        [link("up", ".."), link("hard", "up/outside", tarfile.LNKTYPE)],
        [file("..")],
        [file(".wh...")],
        [file("a/.wh.")],
        [link("up", ".."), (member("up/null", tarfile.CHRTYPE, devmajor=1, devminor=3), b"")],
        [link("up", ".."), file("up/.wh.outside")],
        [link("up", ".."), file("up/.wh..wh..opq")],
    ],
)
def test_a_hostile_archive_cannot_leave_its_folder(layer: Path, members: list[Member]) -> None:
    with pytest.raises(PathEscapeError):
        unpack_all(layer, *members)


def test_a_file_over_a_link_replaces_the_link(layer: Path) -> None:
    unpack_all(layer, link("a", "../outside"), file("a", b"x"))
    assert (layer / "a").read_bytes() == b"x"
    assert not (layer / "a").is_symlink()


def test_a_folder_over_a_link_replaces_the_link(layer: Path) -> None:
    unpack_all(layer, link("a", ".."), folder("a", mode=0o700), file("a/outside", b"x"))
    assert (layer / "a/outside").read_bytes() == b"x"


@pytest.mark.parametrize(
    "members",
    [
        [link("a", "missing", tarfile.LNKTYPE)],
        [folder("d"), link("a", "d", tarfile.LNKTYPE)],
        [(member("dev", tarfile.CHRTYPE, devmajor=0, devminor=0), b"")],
        [(member("what", b"Z"), b"")],
    ],
)
def test_what_makes_no_sense_is_refused(layer: Path, members: list[Member]) -> None:
    with pytest.raises(InvalidInputError):
        unpack_all(layer, *members)


def test_attributes_of_overlayfs_cannot_be_forged(layer: Path) -> None:
    info, content = file("a")
    info.pax_headers = {"SCHILY.xattr.trusted.overlay.redirect": "/etc"}
    with pytest.raises(InvalidInputError, match="forges"):
        unpack_all(layer, (info, content))


def test_packing_is_the_inverse_of_unpacking(layer: Path, tmp_path: Path) -> None:
    unpack_all(
        layer,
        folder("d", mode=0o750, uid=3),
        file("d/a", b"x" * 5000, mode=0o4711),
        link("d/b", "d/a", tarfile.LNKTYPE),
        link("d/c", "a"),
        file(".wh.gone"),
        file("d/.wh..wh..opq"),
    )
    packed = io.BytesIO()
    write_tar(layer, packed.write)
    again = tmp_path / "again"
    again.mkdir()
    root = os.open(again, os.O_RDONLY)
    unpack(io.BytesIO(packed.getvalue()), root)
    os.close(root)
    assert measure(again) == measure(layer)
    assert measure(layer).diff_id == digest(packed.getvalue())
    assert measure(layer).size == 5000


def test_an_empty_layer_is_known_for_one(layer: Path) -> None:
    assert measure(layer).is_empty
