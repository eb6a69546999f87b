"""A layer is given away byte for byte as it came, whoever wrote its tar."""

import gzip
import io
import os
import socket
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from agents.engines.native.images.layers import LayerStore
from agents.engines.native.images.pack import write_tar
from agents.engines.native.images.unpacking import unpack_layer
from agents.errors import InvalidInputError
from tests.agents.native.image_files import (
    Member,
    digest,
    file,
    folder,
    link,
    make_tar,
    needs_root,
)

pytestmark = [pytest.mark.root, needs_root]

# cap_net_raw+ep; see capabilities(7), "File capability extended attribute versioning".
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
TWICE: list[Member] = [
    file("a", b"first"),
    file("a", b"second"),
    link("b", "a", tarfile.LNKTYPE),
    file("b", b"third"),
    folder("d"),
    file("d/x", b"below"),
    file("d", b"no folder"),
]
ODD: list[Member] = [
    file("./with/dot", b"x" * 700),
    file("empty"),
    file(".wh.gone", b"a whiteout with content"),
    file("n" * 120 + "/" + "m" * 130, b"long"),
    link("s", "/etc/passwd"),
    file("d/.wh..wh..opq"),
]


@pytest.fixture
def store(tmp_path: Path) -> LayerStore:
    return LayerStore(tmp_path)


def take_in(store: LayerStore, data: bytes) -> str:
    with store.draft() as draft:
        found = unpack_layer(io.BytesIO(data), draft)
        store.keep(draft, found.diff_id, found.size)
    return found.diff_id


def give(store: LayerStore, diff_id: str) -> bytes:
    out = io.BytesIO()
    store.write_tar(diff_id, out.write)
    return out.getvalue()


@pytest.mark.parametrize("members", [TWICE, ODD])
def test_a_layer_comes_out_as_it_went_in(store: LayerStore, members: list[Member]) -> None:
    data = make_tar(members)
    assert give(store, take_in(store, data)) == data


def test_what_follows_the_end_of_the_archive_is_kept(store: LayerStore) -> None:
    data = make_tar([file("a", b"1")]) + b"whatever" * 1000
    assert give(store, take_in(store, data)) == data


def test_a_gzipped_layer_comes_out_plain(store: LayerStore) -> None:
    data = make_tar(ODD)
    assert give(store, take_in(store, gzip.compress(data))) == data


@pytest.mark.parametrize("options", [["--format=gnu"], ["--format=posix"], ["--format=v7"]])
def test_tars_of_others_come_out_as_they_went_in(
    store: LayerStore, tmp_path: Path, options: list[str]
) -> None:
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "tree/deep/file").write_bytes(b"content" * 999)
    (tmp_path / "tree/link").symlink_to("deep/file")
    data = subprocess.run(
        ["tar", "-c", *options, "-C", tmp_path / "tree", "."], capture_output=True, check=True
    ).stdout
    diff_id = take_in(store, data)
    assert (store.path(diff_id) / "deep/file").read_bytes() == b"content" * 999
    assert give(store, diff_id) == data == give(store, digest(data))


@pytest.mark.parametrize("version", ["gnu", "0.0", "0.1", "1.0"])
def test_sparse_files_are_whole_and_come_out_again(
    store: LayerStore, tmp_path: Path, version: str
) -> None:
    with (tmp_path / "sparse").open("wb") as out:
        for start in range(0, 12 << 20, 2 << 20):
            out.seek(start)
            out.write(b"here" * 2000)
        out.truncate(20 << 20)
    form = ["--format=gnu"] if version == "gnu" else ["--format=posix"]
    form += [] if version == "gnu" else [f"--sparse-version={version}"]
    argv = ["tar", "-c", *form, "--sparse", "-C", tmp_path, "sparse"]
    data = subprocess.run(argv, capture_output=True, check=True).stdout
    diff_id = take_in(store, data)
    found = store.path(diff_id) / "sparse"
    assert found.read_bytes() == (tmp_path / "sparse").read_bytes()
    assert found.stat().st_blocks * 512 < 10 << 20
    assert give(store, diff_id) == data


def test_a_layer_that_was_changed_on_disk_is_not_given_away(store: LayerStore) -> None:
    diff_id = take_in(store, make_tar([file("a", b"true")]))
    (store.path(diff_id) / "a").write_bytes(b"lies")
    with pytest.raises(InvalidInputError, match="damaged"):
        give(store, diff_id)


def test_all_that_belongs_to_a_file_survives_packing(store: LayerStore, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "ping").write_bytes(b"program")
    os.setxattr(tree / "ping", "security.capability", CAPABILITY)
    os.setxattr(tree / "ping", "user.binary", b"\xff\x00\n=")
    (tree / "ping").chmod(0o6755)
    os.link(tree / "ping", tree / "d/also")
    os.mkfifo(tree / "d/pipe", 0o620)
    os.mknod(tree / "d/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (tree / "d/link").symlink_to("nowhere" * 30)
    os.chown(tree / "d/link", 70_000, 3_000_000, follow_symlinks=False)
    os.utime(tree / "d/pipe", ns=(1, 1_234_567_890_987_654_321))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "socket"))
    out = io.BytesIO()
    write_tar(tree, out.write)
    layer = store.path(take_in(store, out.getvalue()))
    assert os.getxattr(layer / "ping", "security.capability") == CAPABILITY
    assert os.getxattr(layer / "ping", "user.binary") == b"\xff\x00\n="
    assert (layer / "ping").stat().st_mode & 0o7777 == 0o6755
    assert (layer / "d/also").stat().st_ino == (layer / "ping").stat().st_ino
    assert (layer / "d/pipe").is_fifo()
    assert (layer / "d/pipe").stat().st_mtime_ns == 1_234_567_890_987_654_321
    assert (layer / "d/null").is_char_device()
    assert (layer / "d/link").lstat().st_gid == 3_000_000
    assert not (layer / "socket").exists()
    again = io.BytesIO()
    write_tar(layer, again.write)
    assert again.getvalue() == out.getvalue()


def test_both_forms_of_overlayfs_whiteouts_are_packed(store: LayerStore, tmp_path: Path) -> None:
    upper = tmp_path / "upper"
    upper.mkdir()
    os.mknod(upper / "one", stat.S_IFCHR, 0)
    os.chown(upper / "one", 1000, 1000)
    (upper / "two").touch()
    os.setxattr(upper / "two", "trusted.overlay.whiteout", b"y")
    out = io.BytesIO()
    write_tar(upper, out.write)
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        assert tar.getnames() == [".wh.one", ".wh.two"]
