"""What a container leaves behind to harm the host: files for others to run, trees without end."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.native.images.removal import remove_tree
from agents.engines.specs import BuildSpec, ContainerSpec, MountSpec, VolumeSpec
from agents.errors import BuildError
from tests.contracts.bench import unique
from tests.native_engine import NativeHome, native_home

pytestmark = pytest.mark.root

DEPTH = 1500
# By steps, as no path may be longer than 4,096 bytes.
DEEP = f"i=0; while [ $i -lt {DEPTH} ]; do mkdir d && cd d; i=$((i+1)); done"
NOBODY = 65534


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeHome]:
    folder = tmp_path_factory.mktemp("hostile")
    # As on a host where everybody may pass through the folders above.
    for above in (folder, folder.parent, folder.parent.parent):
        above.chmod(0o755)
    with native_home(folder) as home:
        yield home


@pytest.fixture(scope="module")
def engine(home: NativeHome) -> Iterator[NativeEngine]:
    with home.engine() as engine:
        yield engine


def ran(engine: NativeEngine, script: str, volume: str) -> str:
    """Run a script in a container with a volume at /v to its end; return the container's id."""
    mount = MountSpec(kind="volume", source=volume, target="/v")
    spec = ContainerSpec(
        name=unique("c"), image="busybox", command=("sh", "-c", script), mounts=(mount,)
    )
    made = engine.start_container(engine.create_container(spec).id)
    assert engine.wait_container(made.id, 60) == 0
    return made.id


def test_nobody_on_the_host_gets_at_the_setuid_files_of_a_container(
    engine: NativeEngine, home: NativeHome
) -> None:
    volume = unique("v")
    made = ran(engine, "cp /bin/busybox /v/sh; chmod 4755 /v/sh; cp -p /v/sh /sh", volume)
    left = [path for path in home.root.rglob("sh") if path.stat().st_mode & 0o4000]
    assert len(left) == 2
    for path in left:
        with pytest.raises(PermissionError):
            subprocess.run((path, "true"), user=NOBODY, group=NOBODY, extra_groups=(), check=True)
    engine.remove_container(made)
    engine.remove_volume(volume)


def test_a_volume_whose_ids_cannot_be_mapped_is_there_and_nobodys(engine: NativeEngine) -> None:
    volume = unique("v")
    options = {"type": "none", "o": "bind", "device": "/proc/sys/kernel"}
    engine.create_volume(VolumeSpec(name=volume, options=options))
    made = ran(engine, "cat /v/ostype; stat -c %u /v", volume)
    assert [line.text for line in engine.read_logs(made)] == ["Linux", "65534"]
    engine.remove_container(made)
    engine.remove_volume(volume)


def test_trees_of_any_depth_are_removed(engine: NativeEngine, home: NativeHome) -> None:
    volume = unique("v")
    made = ran(engine, f"{DEEP}; cd /v; {DEEP}", volume)
    engine.remove_container(made)
    engine.remove_volume(volume)
    assert [*(home.root / "containers").iterdir(), *(home.root / "volumes").iterdir()] == []


def test_a_deep_tree_is_replaced_by_what_is_copied(engine: NativeEngine) -> None:
    volume = unique("v")
    # One folder more of the image's, which no rename takes away.
    made = ran(engine, f"cd /etc; {DEEP}", volume)
    engine.copy_to(made, "/", archive_of("etc"))
    assert engine.stat_path(made, "/etc").kind == "file"
    engine.remove_container(made)
    engine.remove_volume(volume)


def test_an_engine_starts_with_a_deep_tree_in_a_draft(home: NativeHome) -> None:
    draft = home.root / "volumes" / ".draft-deep"
    draft.mkdir(parents=True)
    try:
        make_deep(draft)
        with home.engine():
            assert not draft.exists()
    finally:
        remove_tree(draft)


def test_a_build_that_copies_a_deep_tree_fails_in_words(
    engine: NativeEngine, tmp_path: Path
) -> None:
    text = f"FROM busybox AS deep\nRUN {DEEP}\nFROM busybox\nCOPY --from=deep /d /d\n"
    (tmp_path / "Dockerfile").write_text(text)
    spec = BuildSpec(context=tmp_path, references=("deep:1",))
    with pytest.raises(BuildError, match="deep"):
        engine.build_image(spec, lambda _line: None)


def make_deep(folder: Path) -> None:
    """Make such a tree in a folder."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def archive_of(name: str) -> io.BytesIO:
    """A tar with one empty file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    packed.seek(0)
    return packed
