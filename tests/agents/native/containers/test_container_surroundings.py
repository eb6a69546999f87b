"""What a program finds inside a container of the native engine."""

from pathlib import Path
from typing import Any

import pytest

from agents.engines.native.containers.init import init_program
from agents.engines.native.engine import NativeEngine
from agents.engines.native.oci.process import lower_ulimit
from agents.engines.specs import (
    ContainerSpec,
    MountSpec,
    SecuritySpec,
    UlimitSpec,
    VolumeSpec,
)
from agents.errors import InvalidInputError, NotSupportedError
from tests.contracts.bench import unique
from tests.native_engine import run_here
from tests.waiting import wait_until

pytestmark = pytest.mark.root


def run(engine: NativeEngine, script: str, **fields: Any) -> list[str]:
    """Run a script to its end and return what it wrote."""
    spec = ContainerSpec(name=unique("c"), image="busybox", command=("sh", "-c", script), **fields)
    container = engine.start_container(engine.create_container(spec).id)
    engine.wait_container(container.id, timeout=20.0)
    lines = engine.read_logs(container.id)
    engine.remove_container(container.id)
    return [line.text for line in lines]


def test_it_is_the_first_process_of_its_own(engine: NativeEngine) -> None:
    assert run(engine, "echo $$; ls /proc | grep -c '^[0-9]*$'")[0] == "1"


def test_its_hostname_is_the_specs(engine: NativeEngine) -> None:
    assert run(engine, "hostname; cat /etc/hostname; echo $HOSTNAME", hostname="box") == ["box"] * 3


def test_variables_come_from_image_and_spec(engine: NativeEngine) -> None:
    lines = run(engine, "echo $A; echo $HOME", environment={"A": "x y"})
    assert lines == ["x y", "/root"]


def test_the_working_directory_is_made(engine: NativeEngine) -> None:
    assert run(engine, "pwd", working_dir="/a/b") == ["/a/b"]


@pytest.mark.parametrize(
    ("user", "identity"),
    [("", "0 0"), ("www-data", "33 33"), ("1234", "1234 0"), ("33:nogroup", "33 65534")],
)
def test_a_user_is_looked_up_in_the_image(engine: NativeEngine, user: str, identity: str) -> None:
    assert run(engine, "echo $(id -u) $(id -g)", user=user) == [identity]


def test_a_user_that_the_image_lacks_is_told(engine: NativeEngine) -> None:
    with pytest.raises(InvalidInputError, match="nobody-here"):
        run(engine, "true", user="nobody-here")


def test_capabilities_are_the_usual_ones(engine: NativeEngine) -> None:
    assert run(engine, "grep CapEff /proc/self/status")[0].split()[1] == "00000000a80425fb"
    none = run(engine, "grep CapEff /proc/self/status", cap_drop=("ALL",))
    assert int(none[0].split()[1], 16) == 0


def test_an_unknown_capability_is_refused_at_creation(engine: NativeEngine) -> None:
    with pytest.raises(InvalidInputError, match="FLYING"):
        run(engine, "true", cap_add=("FLYING",))


def test_kernel_files_are_hidden_or_read_only(engine: NativeEngine) -> None:
    script = "{ echo 1 >/proc/sys/kernel/sysrq; } 2>/dev/null || echo refused; ls /sys/firmware"
    assert run(engine, script) == ["refused"]


def test_a_read_only_container_cannot_write(engine: NativeEngine) -> None:
    script = "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo written"
    mounts = (MountSpec(kind="tmpfs", target="/tmp", tmpfs_size=1 << 20),)
    assert run(engine, script, read_only=True, mounts=mounts) == ["refused", "written"]


def test_devices_of_the_host_cannot_be_opened(engine: NativeEngine) -> None:
    script = "mknod /disk b 254 0 && { cat /disk >/dev/null 2>&1 || echo refused; }"
    host_users = SecuritySpec(user_namespace="host")
    assert run(engine, script, security=host_users) == ["refused"]
    assert run(engine, "mknod /disk b 254 0 2>/dev/null || echo refused") == ["refused"]


def test_a_bind_shows_the_hosts_folder(engine: NativeEngine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here\n")
    mount = MountSpec(kind="bind", source=str(tmp_path), target="/data", read_only=True)
    script = "cat /data/file; touch /data/x 2>/dev/null || echo refused"
    assert run(engine, script, mounts=(mount,)) == ["here", "refused"]


def test_a_new_volume_starts_with_the_images_files(engine: NativeEngine) -> None:
    mount = MountSpec(kind="volume", source=unique("v"), target="/etc")
    assert run(engine, "grep -c root /etc/passwd; echo kept > /etc/mine", mounts=(mount,)) == ["1"]
    assert run(engine, "cat /etc/mine", mounts=(mount,)) == ["kept"]
    engine.remove_volume(mount.source)


def test_a_filled_volume_is_left_as_it_is(engine: NativeEngine) -> None:
    volume = engine.create_volume(VolumeSpec(name=unique("v")))
    (Path(volume.mountpoint) / "mine").write_text("here\n")
    mount = MountSpec(kind="volume", source=volume.name, target="/etc/conf")
    assert run(engine, "ls /etc/conf", mounts=(mount,)) == ["mine"]
    engine.remove_volume(volume.name)


def test_names_may_be_added_to_its_hosts_file(engine: NativeEngine) -> None:
    lines = run(engine, "grep db /etc/hosts", extra_hosts={"db": "10.1.2.3"})
    assert lines == ["10.1.2.3\tdb"]


def test_its_name_servers_may_be_given(engine: NativeEngine) -> None:
    lines = run(engine, "grep nameserver /etc/resolv.conf", dns=("10.9.8.7",))
    assert lines == ["nameserver 10.9.8.7"]


def test_limits_of_resources_are_set(engine: NativeEngine) -> None:
    limit = UlimitSpec(name="nofile", soft=100, hard=200)
    assert run(engine, "ulimit -Sn; ulimit -Hn", ulimits=(limit,)) == ["100", "200"]


def test_a_limit_over_the_hosts_own_is_lowered(engine: NativeEngine) -> None:
    limit = UlimitSpec(name="nofile", soft=100, hard=10**9)
    assert run(engine, "ulimit -Sn", ulimits=(limit,)) == ["100"]


def test_a_limit_that_the_host_lowers_is_told(engine: NativeEngine) -> None:
    limit = UlimitSpec(name="nofile", soft=100, hard=10**9)
    if lower_ulimit(limit) == limit:
        pytest.skip("this machine may raise the limits of its processes")
    container = run_here(engine, "exec sleep 1000", ulimits=(limit,))
    (warning,) = container.warnings
    assert "nofile" in warning
    assert "100 to 1000000000 as asked for" in warning
    engine.stop_container(container.id, grace=0)
    assert engine.find_container(container.id).warnings == ()


def test_a_limit_may_be_no_bound(engine: NativeEngine) -> None:
    limit = UlimitSpec(name="cpu", soft=5000, hard=-1)
    assert run(engine, "ulimit -St; ulimit -Ht", ulimits=(limit,)) == ["5000", "unlimited"]
    reverse = UlimitSpec(name="cpu", soft=-1, hard=5000)
    with pytest.raises(InvalidInputError) as caught:
        run(engine, "true", ulimits=(reverse,))
    assert caught.value.field == "ulimits"


def test_kernel_settings_of_its_namespaces_are_set(engine: NativeEngine) -> None:
    script = "cat /proc/sys/net/ipv4/ip_forward"
    assert run(engine, script, sysctls={"net.ipv4.ip_forward": "1"}) == ["1"]


def test_without_a_network_there_is_only_loopback(engine: NativeEngine) -> None:
    assert run(engine, "ls /sys/class/net", network_mode="none") == ["lo"]


def test_with_the_hosts_network_it_is_in_the_hosts_namespace(engine: NativeEngine) -> None:
    lines = run(engine, "readlink /proc/self/ns/net", network_mode="host")
    assert lines == [str(Path("/proc/self/ns/net").readlink())]


def require_init() -> None:
    try:
        init_program()
    except NotSupportedError as exc:
        pytest.skip(exc.message)


def test_an_init_reaps_orphans(engine: NativeEngine) -> None:
    require_init()
    orphan = "sh -c 'sleep 0.05 >/dev/null & echo $!'"
    look = "while grep -qs 'State:.[RS]' /proc/$pid/status; do :; done"
    gone = "sleep 0.1; [ -e /proc/$pid ] && echo zombie || echo reaped"
    script = f"pid=$({orphan}); {look}; {gone}; cat /proc/1/comm"
    assert run(engine, script, init=True) == ["reaped", "init"]


def test_an_init_hands_signals_on(engine: NativeEngine) -> None:
    require_init()
    script = "trap 'echo told; exit 7' USR1; echo up; sleep 1000 & wait"
    spec = ContainerSpec(name=unique("c"), image="busybox", command=("sh", "-c", script), init=True)
    container = engine.start_container(engine.create_container(spec).id)
    wait_until(lambda: bool(engine.read_logs(container.id)), "the program to begin")
    engine.kill_container(container.id, "SIGUSR1")
    assert engine.wait_container(container.id, timeout=10.0) == 7
    assert [line.text for line in engine.read_logs(container.id)] == ["up", "told"]
    engine.remove_container(container.id)


def test_an_init_that_is_not_installed_is_told_at_once(
    engine: NativeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotSupportedError, match="init"):
        run(engine, "true", init=True)
