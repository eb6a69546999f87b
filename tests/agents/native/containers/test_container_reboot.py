"""After a reboot everything is as it should be: all that a machine forgets is made again."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from agents.engines.native.containers.paths import ContainerPaths, passages
from agents.engines.native.containers.records import Status
from agents.engines.native.engine import NativeEngine
from agents.engines.native.network.subnets import link_name
from agents.engines.specs import (
    ContainerSpec,
    EndpointSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    RestartPolicy,
    VolumeSpec,
)
from agents.linux import mounts, netlink, nftables, process
from agents.protocol.records import ContainerRecord
from tests.contracts.bench import unique
from tests.native_engine import NativeHome, processes_of
from tests.waiting import wait_until

pytestmark = pytest.mark.root
SERVE = "exec httpd -f -p 80"


@pytest.fixture
def web(home: NativeHome) -> ContainerSpec:
    """A container with all that a machine forgets: addresses, ports, mounts, two networks."""
    front, back = unique("front"), unique("back")
    memory, kept = unique("memory"), unique("kept")
    with home.engine() as engine:
        network = engine.create_network(NetworkSpec(name=front))
        engine.create_network(NetworkSpec(name=back, internal=True))
        options = {"type": "tmpfs", "device": "tmpfs"}
        engine.create_volume(VolumeSpec(name=memory, options=options))
    fixed = network.subnet.replace(".0/24", ".77")
    return ContainerSpec(
        name=unique("web"),
        image="busybox",
        command=("sh", "-c", SERVE),
        stop_signal="SIGKILL",
        endpoints=(
            EndpointSpec(network=front, ipv4_address=fixed, aliases=("web",)),
            EndpointSpec(network=back),
        ),
        ports=(PortSpec(container_port=80, host_port=free_port()),),
        mounts=(
            MountSpec(kind="volume", source=memory, target="/memory"),
            MountSpec(kind="volume", source=kept, target="/kept"),
        ),
        restart=RestartPolicy(name="unless-stopped"),
    )


def test_a_reboot_brings_back_names_addresses_and_ports(
    home: NativeHome, web: ContainerSpec
) -> None:
    with home.engine() as engine:
        before = run(engine, web)
        once = run(engine, replace(web, name=unique("once"), restart=RestartPolicy(), **plain()))
        stopped = run(engine, replace(web, name=unique("stopped"), **plain()))
        engine.stop_container(stopped.id)
        engine.rename_container(before.id, unique("renamed"))
        name = engine.find_container(before.id).name
    reboot(home)
    with home.engine() as engine:
        wait_until(lambda: engine.find_container(before.id).state == "running", "the start")
        after = engine.find_container(before.id)
        assert after.name == name
        assert after.endpoints[0].ipv4_address == web.endpoints[0].ipv4_address
        assert [one.network for one in after.endpoints] == [one.network for one in web.endpoints]
        assert after.ports == before.ports
        for place in (("127.0.0.1", after.ports[0].host_port), (address(after), 80)):
            wait_until(lambda place=place: answers(place), f"an answer at {place}")
        ended = engine.find_container(once.id)
        assert (ended.state, ended.exit_code) == ("exited", 255)
        assert engine.find_container(stopped.id).state == "exited"


def test_a_second_start_finds_nothing_to_do(home: NativeHome, web: ContainerSpec) -> None:
    with home.engine() as engine:
        made = run(engine, web)
    reboot(home)
    with home.engine() as engine:
        wait_until(lambda: engine.find_container(made.id).state == "running", "the start")
        first = engine.find_container(made.id)
    files = snapshot(home)
    with home.engine() as engine:
        second = engine.find_container(made.id)
        assert replace_sequence(second) == replace_sequence(first)
        assert answers((address(second), 80))
    assert snapshot(home) == files


def plain() -> dict[str, tuple[object, ...]]:
    return {"endpoints": (), "ports": (), "mounts": ()}


def run(engine: NativeEngine, spec: ContainerSpec) -> ContainerRecord:
    return engine.start_container(engine.create_container(spec).id)


def address(record: ContainerRecord) -> str:
    return record.endpoints[0].ipv4_address


def replace_sequence(record: ContainerRecord) -> ContainerRecord:
    return msgspec.structs.replace(record, sequence=0)


def snapshot(home: NativeHome) -> dict[str, int]:
    """What is on the disk and in memory for the engine, by inode: what is written anew differs."""
    kept = ("networks", "containers", "volumes")
    folders = [home.root / name for name in kept] + [home.run / "volumes"]
    return {
        str(path): path.stat().st_ino
        for folder in folders
        for path in folder.rglob("*.json")
        if path.name != "status.json"
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(place: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(place, timeout=1.0):
            return True
    except OSError:
        return False


def reboot(home: NativeHome) -> None:
    """Take away all that a machine forgets when it is switched off."""
    with home.engine() as engine:
        networks = [one.id for one in engine.list_networks()]
        containers = [one.id for one in engine.list_containers()]
    for container_id in containers:
        power_off(home, container_id)
    for pid in processes_of(home.folder):
        process.stop(pid)
    places = (home.folder, passages(home.root))
    for entry in reversed(mounts.read_mounts()):
        if any(entry.target.is_relative_to(one) for one in places):
            mounts.unmount(entry.target)
    for network in networks:
        netlink.delete_link(link_name("wp", network))
    nftables.remove(link_name("webpanel_", str(home.root.resolve())))
    for folder in (home.run, passages(home.root)):
        shutil.rmtree(folder, ignore_errors=True)
    forget_cgroups(home)
    (home.root / "boot").write_text("another")


def power_off(home: NativeHome, container_id: str) -> None:
    """End a container's processes, and have its status be of another time."""
    path = ContainerPaths.of(home.root, home.run, container_id).status
    status = msgspec.json.decode(path.read_bytes(), type=Status)
    for mark in (status.monitor, status.init):
        if mark is not None and process.is_running(mark.pid):
            process.signal_process(mark.pid, 9)
            wait_until(lambda mark=mark: not process.is_running(mark.pid), "its end")
    path.write_text(path.read_text().replace((home.root / "boot").read_text(), "another"))


def forget_cgroups(home: NativeHome) -> None:
    for parent in Path("/sys/fs/cgroup").glob(f"*/webpanel-{home.uid}"):
        for path in (*parent.glob("*"), parent):
            if path.is_dir():
                path.rmdir()
