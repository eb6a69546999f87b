from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import InvalidInputError, KernelError
from agents.linux import mounts

ODD = 'a:b,c\\d"e f\tg'


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / ODD / "merged"
    path.mkdir(parents=True)
    yield path
    mounts.unmount(path)


def layer(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir(parents=True)
    (path / name).write_text(name)
    return path


def writable(parent: Path) -> dict[str, Path]:
    for name in ("upper", "work"):
        (parent / name).mkdir()
    return {"upper": parent / "upper", "work": parent / "work"}


@pytest.mark.root
def test_an_overlay_shows_all_layers_whatever_is_in_their_paths(target: Path) -> None:
    lower = [layer(target.parent, "one"), layer(target.parent, "two")]
    mounts.mount_overlay(lower, target, **writable(target.parent))
    assert {entry.name for entry in target.iterdir()} == {"one", "two"}


@pytest.mark.root
def test_what_is_written_to_an_overlay_lands_in_its_upper_folder(target: Path) -> None:
    mounts.mount_overlay([layer(target.parent, "one")], target, **writable(target.parent))
    (target / "new").write_text("x")
    assert (target.parent / "upper" / "new").read_text() == "x"
    assert not (target.parent / "one" / "new").exists()


@pytest.mark.root
def test_one_layer_alone_is_mounted_read_only(target: Path) -> None:
    mounts.mount_overlay([layer(target.parent, "one")], target)
    with pytest.raises(OSError, match="Read-only"):
        (target / "new").touch()


@pytest.mark.root
def test_options_longer_than_a_page_still_mount(target: Path) -> None:
    deep = target.parent / ("d" * 200)
    lower = [layer(deep, f"layer{number}") for number in range(60)]
    mounts.mount_overlay(lower, target, **writable(target.parent))
    assert len(list(target.iterdir())) == 60


@pytest.mark.root
def test_more_layers_than_one_mount_can_take_are_refused(target: Path) -> None:
    lower = [layer(target.parent, f"layer{number}") for number in range(300)]
    with pytest.raises(InvalidInputError, match="300 layers"):
        mounts.mount_overlay(lower, target)


@pytest.mark.root
def test_unmounting_twice_succeeds_and_takes_off_every_mount(target: Path) -> None:
    mounts.mount_tmpfs(target)
    mounts.mount_tmpfs(target, size=1 << 20)
    mounts.unmount(target)
    assert not mounts.is_mounted(target)
    mounts.unmount(target)
    mounts.unmount(target / "missing")


@pytest.mark.root
def test_a_read_only_bind_refuses_writes(target: Path) -> None:
    source = layer(target.parent, "source")
    mounts.bind(source, target, read_only=True)
    assert (target / "source").read_text() == "source"
    with pytest.raises(OSError, match="Read-only"):
        (target / "new").touch()


@pytest.mark.root
def test_a_bind_of_a_missing_folder_names_both_paths(target: Path) -> None:
    with pytest.raises(KernelError, match=r"missing to .*merged") as raised:
        mounts.bind(target.parent / "missing", target)
    assert raised.value.path == str(target)


@pytest.mark.root
def test_mountinfo_gives_back_odd_paths(target: Path) -> None:
    mounts.mount_tmpfs(target, size=1 << 20)
    entry = mounts.find_mount(target)
    assert entry is not None
    assert entry.target == target
    assert entry.fstype == "tmpfs"


@pytest.mark.parametrize(
    ("line", "fstype", "source"),
    [
        ("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,x=y", "ext3", "/dev/root"),
        ("36 35 98:0 / /mnt2 rw shared:1 master:2 - nfs a\\040b:/ rw", "nfs", "a b:/"),
        ("36 35 98:0 / /mnt2 rw - tmpfs - rw", "tmpfs", "-"),
    ],
)
def test_it_reads_the_lines_that_proc_documents(line: str, fstype: str, source: str) -> None:
    entry = mounts.parse_mount(line)
    assert (entry.fstype, entry.source, entry.target) == (fstype, source, Path("/mnt2"))
