"""Images made to harm the host are refused, and what they took is given back."""

import gzip
import io
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.images import unpacking
from agents.engines.native.images.extract import Bounds
from agents.engines.native.images.layers import LayerStore
from agents.engines.native.images.store import ImageStore
from agents.engines.native.images.unpacking import unpack_layer
from agents.errors import AgentError, InvalidInputError, OutOfSpaceError, PathEscapeError
from agents.linux import mounts
from tests.agents.native.image_files import (
    Member,
    digest,
    file,
    folder,
    link,
    make_config,
    make_tar,
    member,
    needs_root,
    write_docker_archive,
    write_oci_archive,
)

pytestmark = [pytest.mark.root, needs_root]

LINK = tarfile.LNKTYPE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LayerStore]:
    (tmp_path / "outside").write_text("untouched")
    store = LayerStore(tmp_path / "store")
    yield store
    assert (tmp_path / "outside").read_text() == "untouched"
    assert {path.name for path in tmp_path.iterdir()} == {"outside", "store"}
    assert list((tmp_path / "store/drafts").iterdir()) == []


def take_in(store: LayerStore, data: bytes, bounds: Bounds | None = None) -> Path:
    with store.draft() as draft:
        found = unpack_layer(io.BytesIO(data), draft, bounds=bounds)
        store.keep(draft, found.diff_id, found.size)
    return store.path(found.diff_id)


def raw(name: bytes, size: bytes = b"00000000000\0", kind: bytes = b"0") -> bytes:
    """A header with fields as they are given, and the right checksum."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:124] = b"0000644\x000000000\x000000000\0"
    block[124:136], block[136:148], block[156:157] = size, b"00000000000\0", kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


END = bytes(1024)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([link("a", ".."), link("a/b", "x")], id="a link through a link"),
        pytest.param([link("a", "/"), folder("a")], id="a folder over a link"),
        pytest.param([folder("a"), link("a", "../.."), file("a/b")], id="a link over a folder"),
        pytest.param([file("a/../../b", b"")], id="dots in the middle"),
        pytest.param([file("//outside", b"x")], id="two slashes"),
        pytest.param([link("a", "../../outside", LINK)], id="a hard link out"),
        pytest.param([link("a", "/outside", LINK)], id="an absolute hard link"),
        pytest.param([file(".wh..wh..opq/x", b"")], id="below a mark"),
        pytest.param([file("d/.wh..", b"")], id="a whiteout of the folder itself"),
        pytest.param([folder("d"), file("d/.wh...", b"")], id="a whiteout of the folder above"),
    ],
)
def test_names_do_not_lead_out(store: LayerStore, members: list[Member]) -> None:
    try:
        layer = take_in(store, make_tar(members))
    except PathEscapeError:
        return
    # What is taken must have stayed inside.
    assert all(
        path.resolve().is_relative_to(layer) or path.is_symlink() for path in layer.rglob("*")
    )


def test_a_link_of_one_layer_is_no_way_for_the_next(store: LayerStore, tmp_path: Path) -> None:
    take_in(store, make_tar([link("etc", str(tmp_path))]))
    layer = take_in(store, make_tar([file("etc/outside", b"changed")]))
    assert (layer / "etc/outside").read_bytes() == b"changed"


def test_a_hard_link_to_a_link_does_not_open_what_that_leads_to(store: LayerStore) -> None:
    members = [link("a", "/../../../outside"), link("b", "a", LINK), file("b", b"changed")]
    layer = take_in(store, make_tar(members))
    assert (layer / "b").read_bytes() == b"changed"
    assert (layer / "a").is_symlink()


@pytest.mark.parametrize(
    "name", ["n" * 5000, "n" * 256, "/".join(["d"] * 257), "d/" * 2600 + "x", "é" * 200]
)
def test_names_that_no_system_takes_are_refused(store: LayerStore, name: str) -> None:
    with pytest.raises(InvalidInputError):
        take_in(store, make_tar([file(name, b"x")]))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(raw(b"a", b"-0000000001\0"), id="a negative size"),
        pytest.param(raw(b"a", b"\xff" * 12), id="a negative size in base 256"),
        pytest.param(raw(b"a", b"\x80" + b"\x7f" * 11), id="a size beyond all"),
        pytest.param(raw(b"a", b"77777777777\0") + b"x" * 5000, id="more than is there"),
        pytest.param(raw(b"a", b"no numbers!\0"), id="no number"),
        pytest.param(raw(b"a", kind=b"Z"), id="an unknown kind"),
        pytest.param(raw(b"a", b"%011o\0" % (2 << 20), b"x") + bytes(2 << 20), id="a large header"),
        pytest.param(raw(b"a", b"%011o\0" % 6, b"x") + b"9 a=b\n".ljust(512), id="a pax lie"),
        pytest.param(raw(b"a", b"%011o\0" % 6, b"x") + b"-1 a=\n".ljust(512), id="a pax minus"),
        pytest.param(raw(b"a", kind=b"g") * 100, id="headers without end"),
        pytest.param(bytes(range(256)) * 4, id="a wrong checksum"),
        pytest.param(raw(b"a")[:300], id="half a header"),
    ],
)
def test_headers_that_lie_are_refused(store: LayerStore, data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        take_in(store, data + (b"" if len(data) == 300 else END))


@pytest.mark.parametrize(
    "records",
    [{"path": "../outside"}, {"path": "/outside"}, {"uid": "4294967295"}, {"mtime": "soon"}],
)
def test_pax_records_are_trusted_no_more(store: LayerStore, records: dict[str, str]) -> None:
    info, content = file("a", b"x")
    info.pax_headers = records
    body = "".join(f"{len(k) + len(v) + 5} {k}={v}\n" for k, v in records.items()).encode()
    head = raw(b"x", b"%011o\0" % len(body), b"x") + body.ljust(512, b"\0")
    with pytest.raises(InvalidInputError):
        take_in(store, head + raw(b"a") + END)


def test_times_of_the_end_of_days_are_taken(store: LayerStore) -> None:
    info, content = file("b", mtime=2**40)
    assert (take_in(store, make_tar([(info, content)])) / "b").is_file()


def test_a_decompression_bomb_is_refused_early(
    store: LayerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "RATIO_FLOOR", 8 << 20)
    bomb = gzip.compress(make_tar([file("zeros", bytes(64 << 20))]), 9)
    with pytest.raises(InvalidInputError, match="times its size"):
        take_in(store, bomb)


def test_an_archive_beyond_the_disk_is_refused_before_it_is_full(
    store: LayerStore, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts.mount_tmpfs(disk, size=64 << 20)
    try:
        small = LayerStore(disk)
        huge = raw(b"a", b"%011o\0" % (4 << 30)) + bytes(1 << 20)
        with pytest.raises(OutOfSpaceError):
            take_in(small, huge)
        assert sum(path.stat().st_size for path in disk.rglob("*") if path.is_file()) == 0
    finally:
        mounts.unmount(disk)
        disk.rmdir()


def test_members_without_number_are_refused(store: LayerStore) -> None:
    many = b"".join(raw(b"f%d" % number) for number in range(200))
    with pytest.raises(InvalidInputError, match="100 members"):
        take_in(store, many + END, Bounds(entries=100))


def test_one_name_ten_thousand_times_is_one_file(store: LayerStore) -> None:
    began = time.monotonic()
    layer = take_in(store, raw(b"same") * 10_000 + END)
    assert [path.name for path in layer.iterdir()] == ["same"]
    assert time.monotonic() - began < 10


def test_devices_and_setuid_files_stay_in_a_folder_that_only_root_enters(
    store: LayerStore, tmp_path: Path
) -> None:
    disk = member("disk", tarfile.BLKTYPE, devmajor=8, devminor=0, mode=0o666), b""
    layer = take_in(store, make_tar([disk, file("su", b"x", mode=0o4755)]))
    assert (layer / "disk").is_block_device()
    assert (tmp_path / "store/layers").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("device", [(0, 0), (1 << 13, 0), (1, 1 << 20)])
def test_devices_that_are_none_are_refused(store: LayerStore, device: tuple[int, int]) -> None:
    info = member("d", tarfile.CHRTYPE, devmajor=device[0], devminor=device[1])
    with pytest.raises(InvalidInputError):
        take_in(store, make_tar([(info, b"")]))


@pytest.fixture
def images(tmp_path: Path) -> Iterator[ImageStore]:
    images = ImageStore(tmp_path / "root")
    yield images
    for name in ("layers", "drafts", "blobs/sha256"):
        assert list((tmp_path / "root/images" / name).iterdir()) == []


def refuse(images: ImageStore, path: Path) -> AgentError:
    with pytest.raises(InvalidInputError) as caught:
        images.import_archive(path)
    return caught.value


LAYER = make_tar([file("a", b"1")])


@pytest.mark.parametrize("layers", [["../../../etc/passwd"], ["/etc/passwd"], [], ["x", "x"]])
def test_a_manifest_reaches_only_what_is_in_the_archive(
    images: ImageStore, tmp_path: Path, layers: list[str]
) -> None:
    manifest = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": layers}]
    members = [file("c.json", make_config([LAYER])), file("x", LAYER)]
    path = tmp_path / "a.tar"
    path.write_bytes(make_tar([*members, file("manifest.json", json.dumps(manifest).encode())]))
    refuse(images, path)


def test_links_in_an_archive_go_round_in_vain(images: ImageStore, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(make_tar([link("manifest.json", "b"), link("b", "manifest.json")]))
    refuse(images, path)


@pytest.mark.parametrize("what", [b"layer.v1.tar", b"config.v1+json"])
def test_a_blob_with_another_content_is_refused(
    images: ImageStore, tmp_path: Path, what: bytes
) -> None:
    path = write_oci_archive(tmp_path / "a.tar", [LAYER])
    with tarfile.open(path) as tar:
        index = json.load(tar.extractfile("index.json"))
        name = index["manifests"][0]["digest"].replace(":", "/")
        manifest = tar.extractfile(f"blobs/{name}").read()
    at = manifest.index(b"sha256:", manifest.index(what)) + 7
    other = manifest[:at] + b"0" * 64 + manifest[at + 64 :]
    path.write_bytes(path.read_bytes().replace(manifest, other))
    refuse(images, path)


def test_a_configuration_of_other_layers_is_refused(images: ImageStore, tmp_path: Path) -> None:
    path = write_docker_archive(tmp_path / "a.tar", [LAYER])
    lie = make_tar([file("a", b"2")])
    data = path.read_bytes().replace(digest(LAYER).encode(), digest(lie).encode())
    path.write_bytes(data)
    refuse(images, path)


@pytest.mark.parametrize("document", [b"[]", b"{}", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_documents_of_another_shape_are_refused(
    images: ImageStore, tmp_path: Path, document: bytes
) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(make_tar([file("manifest.json", document)]))
    refuse(images, path)
