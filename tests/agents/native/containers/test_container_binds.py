"""A container cannot turn a mount of its own into one of any place of the host."""

from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, MountSpec
from agents.errors import PathEscapeError
from tests.contracts.bench import unique

pytestmark = pytest.mark.root
SWAP = "cat /data/told; rm -r /project/data; ln -s /etc /project/data"


def spec(folder: Path) -> ContainerSpec:
    mounts = (
        MountSpec(kind="bind", source=str(folder), target="/project", inside=str(folder)),
        MountSpec(kind="bind", source=str(folder / "data"), target="/data", inside=str(folder)),
    )
    name = unique("c")
    return ContainerSpec(name=name, image="busybox", command=("sh", "-c", SWAP), mounts=mounts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "data").mkdir(parents=True)
    (made / "data" / "told").write_text("mine\n")
    return made


def test_a_link_that_a_container_put_in_the_place_of_its_bind_is_not_followed(
    engine: NativeEngine, folder: Path
) -> None:
    container = engine.create_container(spec(folder))
    engine.start_container(container.id)
    engine.wait_container(container.id, timeout=20.0)
    assert (folder / "data").is_symlink()
    with pytest.raises(PathEscapeError, match="symbolic link"):
        engine.start_container(container.id)
    assert engine.find_container(container.id).state == "exited"


def test_nor_is_it_for_a_new_container(engine: NativeEngine, folder: Path) -> None:
    (folder / "data").rename(folder / "aside")
    (folder / "data").symlink_to("/etc")
    with pytest.raises(PathEscapeError, match="symbolic link"):
        engine.create_container(spec(folder))


def test_a_link_outside_of_that_folder_is_the_host_s_own(
    engine: NativeEngine, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder / "data")
    mount = MountSpec(kind="bind", source=str(tmp_path / "link"), target="/x", inside=str(folder))
    made = ContainerSpec(name=unique("c"), image="busybox", command=("true",), mounts=(mount,))
    container = engine.create_container(made)
    engine.start_container(container.id)
    assert engine.wait_container(container.id, timeout=20.0) == 0
