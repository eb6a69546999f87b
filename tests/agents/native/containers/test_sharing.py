"""What a container shares with the host or with others, and what it is given of the host."""

from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, DeviceSpec, MountSpec, SecuritySpec
from agents.errors import ConflictError, InvalidInputError, NotFoundError
from tests.agents.native.containers.test_container_surroundings import run
from tests.agents.native.containers.test_user_namespaces import running
from tests.contracts.bench import unique

pytestmark = pytest.mark.root


def test_processes_of_the_host_are_seen_if_asked_for(engine: NativeEngine) -> None:
    assert run(engine, "cat /proc/1/comm; true") == ["sh"]
    assert run(engine, "cat /proc/1/comm", pid_mode="host") == [
        Path("/proc/1/comm").read_text().strip()
    ]


def test_the_name_of_the_host_is_shared_if_asked_for(engine: NativeEngine) -> None:
    assert run(engine, "hostname", uts_mode="host") == [Path("/etc/hostname").read_text().strip()]


def test_shared_memory_has_the_size_asked_for(engine: NativeEngine) -> None:
    script = "df -k /dev/shm | tail -1 | awk '{print $2}'"
    assert run(engine, script) == [str(64 << 10)]
    assert run(engine, script, shm_size=8 << 20) == [str(8 << 10)]


def test_a_containers_processes_are_seen_by_who_joins_it(engine: NativeEngine) -> None:
    with running(engine, "true") as one:
        lines = run(engine, "cat /proc/1/cmdline | tr '\\0' ' '", pid_mode=f"container:{one.id}")
    assert lines == ["sleep 1000 "]


def test_ipc_of_a_container_that_does_not_share_it_cannot_be_joined(engine: NativeEngine) -> None:
    with running(engine, "true") as one, pytest.raises(ConflictError, match="does not share"):
        run(engine, "true", ipc_mode=f"container:{one.name}")


def test_nobody_joins_what_does_not_run(engine: NativeEngine) -> None:
    made = engine.create_container(
        ContainerSpec(name=unique("c"), image="busybox", command=("true",))
    )
    with pytest.raises(ConflictError, match="does not run"):
        run(engine, "true", pid_mode=f"container:{made.name}")
    with pytest.raises(NotFoundError):
        run(engine, "true", pid_mode="container:nothing-here")


@pytest.mark.parametrize("field", ["network_mode", "pid_mode", "ipc_mode"])
def test_a_mode_that_there_is_not_is_refused(engine: NativeEngine, field: str) -> None:
    with pytest.raises(InvalidInputError, match="there is no mode") as caught:
        run(engine, "true", **{field: "sideways"})
    assert caught.value.field == field


def test_a_device_of_the_host_can_be_given(engine: NativeEngine) -> None:
    device = DeviceSpec(source="/dev/net/tun", target="/dev/told", access="rw")
    script = "test -c /dev/told && echo there; : <>/dev/told && echo opened"
    assert run(engine, script, devices=(device,)) == ["there", "opened"]


def test_a_folder_of_devices_gives_all_of_them(engine: NativeEngine) -> None:
    source = Path("/dev/net")
    if not source.is_dir():
        pytest.skip(f"this host has no {source}")
    device = DeviceSpec(source=str(source), target="/dev/many")
    names = sorted(path.name for path in source.iterdir())
    assert run(engine, "ls /dev/many", devices=(device,)) == names


@pytest.mark.parametrize(
    ("device", "error"),
    [
        (DeviceSpec(source="/dev/nothing-here"), NotFoundError),
        (DeviceSpec(source="/etc/passwd"), InvalidInputError),
        (DeviceSpec(source="/dev/null", access="x"), InvalidInputError),
    ],
)
def test_a_wrong_device_is_refused_at_creation(
    engine: NativeEngine, device: DeviceSpec, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(engine, "true", devices=(device,))


def test_a_rule_opens_what_is_made_inside(engine: NativeEngine) -> None:
    script = "mknod /dev/z c 1 5 && head -c 1 /dev/z | wc -c; mknod /dev/w c 10 200; : </dev/w"
    host = SecuritySpec(user_namespace="host")
    lines = run(engine, f"({script}) 2>&1", device_rules=("c 10:200 r",), security=host)
    assert lines[0] == "1"
    assert not any("not permitted" in line for line in lines)


def test_a_senseless_rule_is_refused(engine: NativeEngine) -> None:
    with pytest.raises(InvalidInputError, match="rule for devices"):
        run(engine, "true", device_rules=("everything",))


def test_more_groups_can_be_given(engine: NativeEngine) -> None:
    lines = run(engine, "id -G", user="33", groups=("nogroup", "1234"))
    assert set(lines[0].split()) >= {"33", "65534", "1234"}


def test_how_names_are_asked_for_can_be_given(engine: NativeEngine) -> None:
    lines = run(
        engine,
        "cat /etc/resolv.conf",
        dns=("10.9.8.7",),
        dns_search=("a.example", "b.example"),
        dns_options=("ndots:3",),
    )
    assert lines == ["nameserver 10.9.8.7", "search a.example b.example", "options ndots:3"]


def test_the_domains_name_is_the_specs(engine: NativeEngine) -> None:
    script = "cat /proc/sys/kernel/domainname"
    assert run(engine, script, domainname="inside.example") == ["inside.example"]


def test_mounts_of_the_host_arrive_if_asked_for(engine: NativeEngine, tmp_path: Path) -> None:
    from agents.linux import mounts

    bind = MountSpec(
        kind="bind", source=str(tmp_path), target="/data", propagation="rslave", read_only=True
    )
    mounts.bind(tmp_path, tmp_path)
    mounts.make_shared(tmp_path)
    (tmp_path / "late").mkdir()
    wait = "until grep -q /data/late /proc/self/mounts; do usleep 10000; done; echo arrived"
    spec = ContainerSpec(
        name=unique("c"), image="busybox", command=("sh", "-c", wait), mounts=(bind,)
    )
    try:
        made = engine.start_container(engine.create_container(spec).id)
        mounts.mount_tmpfs(tmp_path / "late")
        engine.wait_container(made.id, timeout=20.0)
        assert [line.text for line in engine.read_logs(made.id)] == ["arrived"]
        engine.remove_container(made.id)
    finally:
        mounts.unmount(tmp_path / "late")
        mounts.unmount(tmp_path)
