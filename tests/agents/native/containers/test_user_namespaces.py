"""Root of a container is nobody on the host, and sees its files as they are on the disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.engines.native.containers import isolation
from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, MountSpec, SecuritySpec
from agents.linux import mounts
from agents.protocol.records import ContainerRecord
from tests.agents.native.containers.test_container_surroundings import run
from tests.contracts.bench import unique
from tests.waiting import wait_until

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def _needs_user_namespaces(tmp_path: Path) -> None:
    reason = isolation.obstacle(tmp_path)
    if reason:
        pytest.skip(f"no user namespaces here: {reason}")


@contextmanager
def running(engine: NativeEngine, script: str, **fields: Any) -> Iterator[ContainerRecord]:
    """A container that has said ``ready`` after a script, and waits."""
    command = ("sh", "-c", f"{script}; echo ready; exec sleep 1000")
    spec = ContainerSpec(name=unique("c"), image="busybox", command=command, **fields)
    made = engine.start_container(engine.create_container(spec).id)
    try:
        wait_until(
            lambda: "ready" in [line.text for line in engine.read_logs(made.id)], "the script"
        )
        yield made
    finally:
        engine.remove_container(made.id, force=True)


def host_user(container: ContainerRecord, engine: NativeEngine) -> int:
    """Return who the container's first process is on the host."""
    init = engine._parts.containers.find(container.id).status.init
    assert init is not None
    status = Path(f"/proc/{init.pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("Uid:")).split()[1])


def upper(container: ContainerRecord, engine: NativeEngine) -> Path:
    return engine._parts.containers.find(container.id).paths.upper


def test_root_inside_is_nobody_outside(engine: NativeEngine) -> None:
    with running(engine, "true") as one, running(engine, "true") as other:
        assert one.user_namespace == "private"
        assert host_user(one, engine) >= isolation.FIRST
        assert abs(host_user(one, engine) - host_user(other, engine)) >= 65_536


def test_what_it_writes_has_the_same_owner_on_the_disk(engine: NativeEngine) -> None:
    script = "touch /mine; touch /yours; chown 33:33 /yours"
    with running(engine, script) as made:
        owners = {p.name: p.stat().st_uid for p in upper(made, engine).iterdir() if p.is_file()}
    assert owners["mine"] == 0
    assert owners["yours"] == 33


def test_files_of_the_image_keep_their_owners(engine: NativeEngine) -> None:
    assert run(engine, "stat -c %u:%g /etc/passwd /") == ["0:0", "0:0"]


def test_binds_and_volumes_keep_their_owners(engine: NativeEngine, tmp_path: Path) -> None:
    volume = unique("v")
    places = (
        MountSpec(kind="bind", source=str(tmp_path), target="/data"),
        MountSpec(kind="volume", source=volume, target="/kept"),
    )
    script = "touch /data/a /kept/b; chown 5 /data/a; stat -c %u /data /data/a /kept/b"
    assert run(engine, script, mounts=places) == ["0", "5", "0"]
    assert (tmp_path / "a").stat().st_uid == 5
    engine.remove_volume(volume)


def test_what_is_mounted_below_a_bind_keeps_its_owners(
    engine: NativeEngine, tmp_path: Path
) -> None:
    below = tmp_path / "below"
    below.mkdir()
    mounts.mount_tmpfs(below)
    try:
        bind = MountSpec(kind="bind", source=str(tmp_path), target="/data")
        script = "touch /data/below/x && stat -c %u /data/below/x"
        assert run(engine, script, mounts=(bind,)) == ["0"]
    finally:
        mounts.unmount(below)


def test_a_bind_whose_ids_cannot_be_mapped_is_there_and_nobodys(engine: NativeEngine) -> None:
    bind = MountSpec(kind="bind", source="/proc", target="/host", read_only=True)
    lines = run(engine, "stat -c %u /host; cat /host/1/comm", mounts=(bind,))
    assert lines == ["65534", Path("/proc/1/comm").read_text().strip()]


def test_its_output_can_be_opened_by_name(engine: NativeEngine) -> None:
    script = "echo out > /dev/stdout; echo err > /proc/self/fd/2"
    assert sorted(run(engine, script)) == ["err", "out"]
    assert run(engine, "echo out > /dev/stdout", user="33") == ["out"]


def test_capabilities_hold_over_its_own_network(engine: NativeEngine) -> None:
    script = (
        "ip link add name more type bridge && echo made; ping -c1 127.0.0.1 >/dev/null; echo $?"
    )
    assert run(engine, script, cap_add=("NET_ADMIN",)) == ["made", "0"]


def test_it_can_be_switched_off_for_one_container(engine: NativeEngine) -> None:
    off = SecuritySpec(user_namespace="host")
    with running(engine, "true", security=off) as made:
        assert host_user(made, engine) == 0
        assert made.user_namespace == "host"
        assert made.user_namespace_reason == "it was switched off for this container"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"privileged": True}, "the container is privileged"),
        ({"network_mode": "host"}, "the container shares the host's network"),
        ({"pid_mode": "host"}, "the container shares the host's processes"),
        ({"user": "100000"}, "100000 is more than the ids of a user namespace"),
    ],
)
def test_sharing_with_the_host_switches_it_off_and_says_so(
    engine: NativeEngine, fields: dict[str, Any], reason: str
) -> None:
    with running(engine, "true", **fields) as made:
        assert (made.user_namespace, made.user_namespace_reason) == ("host", reason)


def test_who_joins_another_container_is_the_same_nobody(engine: NativeEngine) -> None:
    with running(engine, "true", ipc_mode="shareable") as one:
        shared = {f"{kind}_mode": f"container:{one.name}" for kind in ("network", "pid", "ipc")}
        with running(engine, "touch /dev/shm/told", **shared) as other:
            assert host_user(one, engine) == host_user(other, engine)
            assert run(engine, "ls /dev/shm", ipc_mode=f"container:{one.name}") == ["told"]


def test_the_kernels_list_of_mounts_names_its_layers(engine: NativeEngine) -> None:
    image = engine._parts.images.find("busybox")
    with running(engine, "true") as made:
        place = mounts.find_mount(engine._parts.containers.find(made.id).paths.rootfs)
        assert place is not None
        for layer in image.layers:
            assert f"/{layer.parent.name[:12]}" in place.super_options


def test_it_still_has_its_network_after_it_was_restarted(engine: NativeEngine) -> None:
    from agents.engines.specs import RestartPolicy

    script = "ip -o link | grep -c LOOPBACK; kill -9 1; exit 1"
    spec = ContainerSpec(
        name=unique("c"),
        image="busybox",
        command=("sh", "-c", script),
        restart=RestartPolicy(name="on-failure", maximum_retries=2),
    )
    made = engine.start_container(engine.create_container(spec).id)
    engine.wait_container(made.id, timeout=20.0)
    assert [line.text for line in engine.read_logs(made.id)] == ["1", "1", "1"]
