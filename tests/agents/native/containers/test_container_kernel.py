"""What the kernel holds of a container; each difference from the records is made by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.native.holdings.processes import read_namespaces
from agents.engines.specs import (
    EndpointSpec,
    Limits,
    MountSpec,
    NetworkSpec,
    PortSpec,
    SecuritySpec,
    UlimitSpec,
    VolumeSpec,
)
from agents.errors import ConflictError
from agents.linux import cgroups, namespaces, netlink, process
from agents.protocol.kernel import Difference, KernelView
from agents.protocol.records import ContainerRecord
from tests.native_engine import NativeHome, run_here
from tests.waiting import wait_until

pytestmark = pytest.mark.root

MEBIBYTE = 1 << 20
SLEEP = "sleep 1000 & wait"


def run_wired(engine: NativeEngine) -> ContainerRecord:
    """A container on a network of both families, with a port, a volume and limits."""
    engine.create_network(NetworkSpec(name="n1", ipv6=True))
    engine.create_volume(VolumeSpec(name="v1"))
    return run_here(
        engine,
        SLEEP,
        endpoints=(EndpointSpec(network="n1"),),
        ports=(PortSpec(container_port=80), PortSpec(container_port=53, protocol="udp")),
        mounts=(MountSpec(kind="volume", target="/data", source="v1"),),
        limits=Limits(memory=64 * MEBIBYTE, pids=50, cpus=0.5),
    )


def view(engine: NativeEngine, container_id: str) -> KernelView:
    return engine.view_kernel(container_id)


def subjects(engine: NativeEngine, container_id: str) -> dict[str, Difference]:
    return {one.subject: one for one in engine.view_kernel(container_id).differences}


def test_nothing_differs_when_nobody_laid_hands_on_it(engine: NativeEngine) -> None:
    found = view(engine, run_wired(engine).id)
    assert found.differences == ()


def test_namespaces_and_ids_are_those_of_its_process(engine: NativeEngine) -> None:
    found = view(engine, run_wired(engine).id)
    assert found.namespaces == read_namespaces(found.process.pid)
    own = {one.kind for one in found.namespaces if not one.of_host}
    assert {"mnt", "net", "pid", "ipc", "uts", "cgroup"} <= own
    net = next(one for one in found.namespaces if one.kind == "net")
    assert net.inode == Path(f"/proc/{found.process.pid}/ns/net").stat().st_ino
    assert found.users[0].inside == 0
    assert found.users == found.groups


def test_limits_in_force_are_read_back(engine: NativeEngine) -> None:
    container = run_wired(engine)
    found = view(engine, container.id)
    values = {(one.field, one.file): one.value for one in found.values}
    assert values["pids", "pids.max"] == "50"
    assert str(64 * MEBIBYTE) in {one.value for one in found.values if one.field == "memory"}
    assert {one.path for one in found.cgroups} == {engine._parts.cgroups.path(container.id)}


def test_root_and_mounts_are_in_its_own_mountinfo(engine: NativeEngine) -> None:
    container = run_wired(engine)
    found = view(engine, container.id)
    assert found.root is not None
    assert found.root.kind == "overlay"
    assert len(found.layers) == 1
    data = next(one for one in found.mounts if one.target == "/data")
    assert data.root.endswith("volumes/v1/_data")


def test_both_ends_of_its_cable_are_told(engine: NativeEngine) -> None:
    container = run_wired(engine)
    found = view(engine, container.id)
    (eth0,) = [one for one in found.interfaces if one.name == "eth0"]
    (place,) = container.endpoints
    host = netlink.find_link(eth0.host_name)
    assert host is not None
    assert (eth0.host_index, eth0.kind, eth0.is_up) == (host.index, "veth", True)
    assert eth0.mac_address == place.mac_address
    assert f"{place.ipv4_address}/24" in eth0.addresses
    assert f"{place.ipv6_address}/64" in eth0.addresses
    assert netlink.find_link(eth0.bridge) is not None
    default = {one.gateway for one in found.routes if one.destination == "default"}
    assert default == {place.gateway, place.gateway6}


def test_ports_are_those_of_the_packet_rules(engine: NativeEngine) -> None:
    container = run_wired(engine)
    found = {(one.protocol, one.host_port, one.port) for one in view(engine, container.id).ports}
    wanted = {(one.protocol, one.host_port, one.container_port) for one in container.ports}
    assert found == wanted


def test_the_rights_of_its_process_are_told(engine: NativeEngine) -> None:
    container = run_here(
        engine,
        SLEEP,
        cap_drop=("ALL",),
        cap_add=("CHOWN",),
        ulimits=(UlimitSpec(name="nofile", soft=100, hard=200),),
        security=SecuritySpec(no_new_privileges=True),
        oom_score_adj=500,
    )
    wait_until(lambda: b"sh" in command_of(engine, container.id), "its program to run")
    found = view(engine, container.id).process
    assert found.capabilities["effective"] == ("CHOWN",)
    assert (found.seccomp, found.no_new_privileges, found.oom_score_adj) == ("filter", True, 500)
    assert [(one.soft, one.hard) for one in found.limits if one.name == "nofile"] == [(100, 200)]
    assert view(engine, container.id).differences == ()


def command_of(engine: NativeEngine, container_id: str) -> bytes:
    pid = view(engine, container_id).process.pid
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_hosts_network_is_not_taken_for_its_own(engine: NativeEngine) -> None:
    found = view(engine, run_here(engine, SLEEP, network_mode="host").id)
    assert (found.interfaces, found.routes, found.ports) == ((), (), ())
    assert found.differences == ()
    assert next(one for one in found.namespaces if one.kind == "net").of_host


def test_of_what_does_not_run_the_kernel_has_nothing(engine: NativeEngine) -> None:
    container = run_here(engine, "exit 0")
    engine.wait_container(container.id, timeout=20.0)
    with pytest.raises(ConflictError):
        engine.view_kernel(container.id)


def test_a_limit_that_somebody_changed_is_told(engine: NativeEngine) -> None:
    container = run_wired(engine)
    place = engine._parts.cgroups.place(container.id)
    folder = place.layout.folder("pids", place.cgroup)
    assert folder is not None
    (folder / "pids.max").write_text("44")
    found = subjects(engine, container.id)
    assert found == {
        "limits.pids": Difference(subject="limits.pids", recorded="50", found="44"),
    }


def test_a_limit_that_nobody_asked_for_is_told(engine: NativeEngine) -> None:
    container = run_here(engine, SLEEP)
    place = engine._parts.cgroups.place(container.id)
    folder = place.layout.folder("pids", place.cgroup)
    assert folder is not None
    (folder / "pids.max").write_text("44")
    assert subjects(engine, container.id)["limits.pids"].recorded == "max"


def test_a_process_moved_to_another_cgroup_is_told(engine: NativeEngine) -> None:
    container = run_here(engine, SLEEP)
    layout = engine._parts.cgroups.layout
    root = layout.folder("pids", "/")
    assert root is not None
    pid = view(engine, container.id).process.pid
    (root / "cgroup.procs").write_text(str(pid))
    found = [one for one in subjects(engine, container.id) if one.startswith("cgroups.")]
    assert found != []


def test_a_container_that_somebody_froze_is_told(engine: NativeEngine) -> None:
    container = run_here(engine, SLEEP)
    place = engine._parts.cgroups.place(container.id)
    cgroups.freeze(place.layout, place.cgroup)
    difference = subjects(engine, container.id)["state"]
    assert (difference.recorded, difference.found) == ("running", "paused")
    engine.unpause_container(container.id)
    assert subjects(engine, container.id) == {}


def inside(engine: NativeEngine, container_id: str, *argv: str) -> None:
    pid = view(engine, container_id).process.pid
    namespaces.run_inside(Path(f"/proc/{pid}/ns/net"), lambda: process.run(argv))


def take_address(engine: NativeEngine, container: ContainerRecord) -> None:
    address = f"{container.endpoints[0].ipv4_address}/24"
    inside(engine, container.id, "ip", "address", "del", address, "dev", "eth0")


def take_route(engine: NativeEngine, container: ContainerRecord) -> None:
    inside(engine, container.id, "ip", "-6", "route", "del", "default")


def take_bridge(engine: NativeEngine, container: ContainerRecord) -> None:
    found = view(engine, container.id).interfaces
    host = next(one.host_name for one in found if one.name == "eth0")
    process.run(("ip", "link", "set", host, "nomaster"))


def take_cable(engine: NativeEngine, container: ContainerRecord) -> None:
    inside(engine, container.id, "ip", "link", "del", "eth0")


def unmount(engine: NativeEngine, container: ContainerRecord) -> None:
    pid = view(engine, container.id).process.pid
    process.run(("nsenter", f"--mount=/proc/{pid}/ns/mnt", "umount", "/data"))


@pytest.mark.parametrize(
    ("act", "subject"),
    [
        (take_address, "interfaces.eth0.address"),
        (take_route, "routes.default"),
        (take_bridge, "interfaces.eth0.bridge"),
        (take_cable, "interfaces.eth0"),
        (unmount, "mounts./data"),
    ],
)
def test_what_somebody_took_away_is_told(
    engine: NativeEngine, act: Callable[[NativeEngine, ContainerRecord], None], subject: str
) -> None:
    container = run_wired(engine)
    act(engine, container)
    found = subjects(engine, container.id)
    assert subject in found
    assert found[subject].recorded != found[subject].found
    engine.remove_container(container.id, force=True)


def test_a_lowered_ulimit_is_told(engine: NativeEngine) -> None:
    asked = (UlimitSpec(name="nofile", soft=100, hard=200),)
    container = run_here(engine, SLEEP, ulimits=asked)
    pid = view(engine, container.id).process.pid
    process.run(("prlimit", f"--pid={pid}", "--nofile=90:150"))
    difference = subjects(engine, container.id)["process.limits.nofile"]
    assert (difference.recorded, difference.found) == ("100 to 200", "90 to 150")


def test_packet_rules_that_somebody_took_away_are_told(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run_wired(engine)
        table = engine._parts.networks.table
    # An engine that works puts them back within moments.
    process.run(("nft", "flush", "map", "inet", table, "port4"))
    found = engine.view_kernel(container.id).differences
    assert {one.subject for one in found} == {"ports"}
    assert all(one.found == "" for one in found)
    process.run(("nft", "flush", "chain", "inet", table, "published"))
    assert engine.view_kernel(container.id).ports == ()


def test_a_look_leaves_no_descriptor_open(engine: NativeEngine) -> None:
    container = run_wired(engine)
    view(engine, container.id)
    before = len(tuple(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        view(engine, container.id)
    assert len(tuple(Path("/proc/self/fd").iterdir())) == before
