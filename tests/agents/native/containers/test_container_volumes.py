"""Volumes of containers: never left behind, never taken away, never a way out."""

import threading
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, MountSpec, VolumeSpec
from agents.errors import AgentError, ConflictError
from agents.linux import kernel, mounts
from tests.contracts.bench import OBEDIENT, unique
from tests.contracts.volumes import mounted
from tests.native_engine import NativeHome

pytestmark = pytest.mark.root


def spec(script: str = OBEDIENT, *mounts: MountSpec) -> ContainerSpec:
    return ContainerSpec(
        name=unique("c"), image="busybox", command=("sh", "-c", script), mounts=mounts
    )


def run(engine: NativeEngine, wanted: ContainerSpec) -> list[str]:
    made = engine.create_container(wanted)
    engine.start_container(made.id)
    engine.wait_container(made.id, timeout=20.0)
    return [line.text for line in engine.read_logs(made.id)]


def test_a_read_only_bind_is_read_only_below_too(engine: NativeEngine, tmp_path: Path) -> None:
    if not kernel.is_at_least(5, 12):
        pytest.skip("the kernel has no mount_setattr(2)")
    (tmp_path / "below").mkdir()
    mounts.mount_tmpfs(tmp_path / "below")
    try:
        bind = MountSpec(kind="bind", source=str(tmp_path), target="/b", read_only=True)
        assert "no" in run(engine, spec("touch /b/below/x || echo no", bind))
    finally:
        mounts.unmount(tmp_path / "below")


def test_a_link_swapped_in_at_any_moment_leads_to_nothing_of_the_host(
    engine: NativeEngine, tmp_path: Path
) -> None:
    """Renamed back and forth while containers start: each sees its own folder or none."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data/mine").touch()
    (tmp_path / "host").mkdir()
    (folder / "link").symlink_to(tmp_path / "host")
    stop = threading.Event()
    swapper = threading.Thread(target=swap, args=(folder / "data", folder / "link", stop))
    swapper.start()
    bind = MountSpec(kind="bind", source=str(folder / "data"), target="/d", inside=str(folder))
    seen = []
    try:
        for _ in range(15):
            try:
                seen += run(engine, spec("ls /d", bind))
            except AgentError:
                continue
    finally:
        stop.set()
        swapper.join()
    assert set(seen) <= {"mine"}


def swap(one: Path, other: Path, stop: threading.Event) -> None:
    aside = one.with_name("aside")
    while not stop.is_set():
        one.rename(aside)
        other.rename(one)
        one.rename(other)
        aside.rename(one)


def test_a_container_that_cannot_be_made_leaves_no_volume(engine: NativeEngine) -> None:
    name = unique("v")
    wanted = ContainerSpec(
        name="no/name", image="busybox", mounts=(*mounted(name), *mounted("", target="/x"))
    )
    before = engine.list_volumes()
    with pytest.raises(AgentError):
        engine.create_container(wanted)
    assert engine.list_volumes() == before


def test_volumes_of_a_creation_or_removal_cut_off_go_at_the_next_start(
    home: NativeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = unique("v")
    with home.engine() as engine:
        engine.create_volume(VolumeSpec(name=kept))
        anonymous = MountSpec(kind="volume", target="/anonymous")
        gone = engine.create_container(spec(OBEDIENT, anonymous))
        cut_off(monkeypatch, "agents.engines.native.containers.store.ContainerStore.forget")
        with pytest.raises(SystemExit):
            engine.remove_container(gone.id)
        cut_off(monkeypatch, "agents.engines.native.containers.store.ContainerStore.add")
        cut_off(monkeypatch, "shutil.rmtree")
        new = MountSpec(kind="volume", source=unique("v"), target="/new")
        with pytest.raises(SystemExit):
            engine.create_container(spec(OBEDIENT, *mounted(kept), new, anonymous))
        monkeypatch.undo()
    with home.engine() as engine:
        assert [one.name for one in engine.list_volumes()] == [kept]
        assert engine.list_containers() == ()


def cut_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have an act end here, as a crash would, with nothing undone."""

    def crash(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(name, crash)


def test_a_volume_is_not_removed_while_its_container_is_being_made(engine: NativeEngine) -> None:
    """Containers with one volume are made and removed while others try to prune it."""
    name = unique("v")
    stop = threading.Event()
    failures: list[AgentError] = []

    def prune() -> None:
        while not stop.is_set():
            engine.prune_volumes(include_named=True)

    def make() -> None:
        for _ in range(20):
            try:
                made = engine.create_container(spec(OBEDIENT, *mounted(name)))
                assert name in {one.name for one in engine.list_volumes()}
                engine.remove_container(made.id)
            except AgentError as exc:
                failures.append(exc)

    pruner, makers = threading.Thread(target=prune), [threading.Thread(target=make) for _ in "ab"]
    for thread in (pruner, *makers):
        thread.start()
    for thread in makers:
        thread.join()
    stop.set()
    pruner.join()
    assert failures == []


def test_a_volume_in_use_cannot_be_removed(engine: NativeEngine) -> None:
    name = unique("v")
    made = engine.create_container(spec(OBEDIENT, *mounted(name)))
    engine.start_container(made.id)
    with pytest.raises(ConflictError, match=made.name):
        engine.remove_volume(name)
