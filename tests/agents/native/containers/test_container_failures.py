"""Nothing half made is left, and many things at once do not disturb each other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, EndpointSpec, MountSpec, NetworkSpec
from agents.errors import InvalidInputError, NotFoundError, OutOfSpaceError
from agents.linux import mounts
from tests.contracts.bench import OBEDIENT, unique
from tests.native_engine import NativeHome, native_home

pytestmark = pytest.mark.root


@pytest.fixture
def small_home(tmp_path: Path) -> Iterator[NativeHome]:
    """A place on a file system of 8 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounts.mount_tmpfs(folder, size=8 << 20)
    try:
        with native_home(folder / "native") as home:
            yield home
    finally:
        mounts.unmount(folder)


def spec(script: str = OBEDIENT) -> ContainerSpec:
    return ContainerSpec(name=unique("c"), image="busybox", command=("sh", "-c", script))


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_is_told_and_nothing_is_made(small_home: NativeHome) -> None:
    with small_home.engine() as engine:
        made = engine.create_container(spec())
        ballast = fill(small_home.folder)
        with pytest.raises(OutOfSpaceError):
            engine.create_container(spec())
        with pytest.raises(OutOfSpaceError):
            engine.start_container(made.id)
        assert [one.id for one in engine.list_containers()] == [made.id]
        ballast.unlink()
        assert engine.start_container(made.id).state == "running"


def test_an_end_on_a_full_disk_is_noticed(small_home: NativeHome) -> None:
    with small_home.engine() as engine:
        container = engine.start_container(engine.create_container(spec()).id)
        ballast = fill(small_home.folder)
        engine.kill_container(container.id)
        assert engine.wait_container(container.id, timeout=10.0) == 137
        ballast.unlink()
        assert engine.start_container(container.id).state == "running"


def test_a_bind_source_that_vanished_is_named_at_the_start(
    home: NativeHome, tmp_path: Path
) -> None:
    source = tmp_path / "data"
    source.mkdir()
    mount = MountSpec(kind="bind", source=str(source), target="/data")
    with home.engine() as engine:
        made = engine.create_container(
            ContainerSpec(name="bound", image="busybox", command=("true",), mounts=(mount,))
        )
        source.rmdir()
        with pytest.raises(NotFoundError, match=str(source)):
            engine.start_container(made.id)
        assert engine.find_container(made.id).state == "created"
        assert not source.exists()


def test_a_start_that_fails_leaves_nothing(home: NativeHome) -> None:
    with home.engine() as engine:
        made = engine.create_container(
            ContainerSpec(name="bad", image="busybox", command=("nothere",))
        )
        for _ in range(3):
            with pytest.raises(InvalidInputError, match="nothere"):
                engine.start_container(made.id)
        assert list((home.run / "containers").iterdir()) == []
        assert list((home.run / "runtime").iterdir()) == []


def test_a_creation_that_fails_leaves_no_volume(engine: NativeEngine) -> None:
    mounts_wanted = (MountSpec(kind="volume", source=unique("v"), target="/data"),)
    with pytest.raises(InvalidInputError):
        engine.create_container(
            ContainerSpec(name="-", image="busybox", command=("true",), mounts=mounts_wanted)
        )
    assert engine.list_volumes() == ()


def test_many_come_and_go_at_once(engine: NativeEngine) -> None:
    network = engine.create_network(NetworkSpec(name=unique("n")))

    def come_and_go(number: int) -> int:
        made = engine.create_container(
            ContainerSpec(
                name=unique(f"c{number}-"),
                image="busybox",
                command=("sh", "-c", f"echo up; exit {number}"),
                endpoints=(EndpointSpec(network=network.name),),
            )
        )
        engine.start_container(made.id)
        code = engine.wait_container(made.id, timeout=30.0)
        assert [line.text for line in engine.read_logs(made.id)] == ["up"]
        engine.remove_container(made.id)
        return code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(come_and_go, range(16))) == list(range(16))
    engine.remove_network(network.name)


def test_starting_stopping_and_removing_one_at_once_ends_well(engine: NativeEngine) -> None:
    made = engine.create_container(spec())

    def act(number: int) -> None:
        acts = (engine.start_container, engine.stop_container, engine.find_container)
        acts[number % 3](made.id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(act, range(18)))
    engine.remove_container(made.id, force=True)
    assert made.id not in {one.id for one in engine.list_containers()}
