"""What a container sees in its /etc when it joins and leaves networks while it runs."""

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, EndpointSpec, NetworkSpec
from agents.protocol.records import ContainerRecord
from tests.contracts.bench import unique

pytestmark = pytest.mark.root


def network(engine: NativeEngine) -> tuple[str, str]:
    """Make a network; return its name and gateway."""
    record = engine.create_network(NetworkSpec(name=unique("n")))
    return record.name, record.gateway


def run(engine: NativeEngine, script: str, on: str) -> ContainerRecord:
    spec = ContainerSpec(
        name=unique("c"),
        image="busybox",
        command=("sh", "-c", script),
        endpoints=(EndpointSpec(network=on),),
        dns=("192.0.2.1",),
    )
    return engine.start_container(engine.create_container(spec).id)


def lines_at_end(engine: NativeEngine, container: ContainerRecord) -> list[str]:
    engine.wait_container(container.id, timeout=20.0)
    return [line.text for line in engine.read_logs(container.id)]


def test_its_files_follow_its_networks(engine: NativeEngine) -> None:
    front, _ = network(engine)
    back, gateway = network(engine)
    waiting = f"until grep -q {gateway} /etc/resolv.conf; do sleep 0.05; done"
    container = run(engine, f"{waiting}; cat /etc/resolv.conf /etc/hosts", front)
    joined = engine.connect_network(container.id, EndpointSpec(network=back))
    engine.disconnect_network(container.id, front)
    lines = lines_at_end(engine, container)
    assert f"nameserver {gateway}" in lines
    assert any(line.startswith(f"{joined.endpoints[1].ipv4_address}\t") for line in lines)
    assert not any(line.startswith(f"{joined.endpoints[0].ipv4_address}\t") for line in lines)


def test_a_file_that_it_changed_itself_stays_as_it_is(engine: NativeEngine) -> None:
    front, _ = network(engine)
    back, _ = network(engine)
    waiting = "until ip addr | grep -q eth1; do sleep 0.05; done"
    mine = "echo nameserver 192.0.2.7 > /etc/resolv.conf"
    container = run(engine, f"{mine}; echo up; {waiting}; cat /etc/resolv.conf", front)
    assert engine.wait_logs(container.id, after=0, timeout=20.0)
    engine.connect_network(container.id, EndpointSpec(network=back))
    engine.disconnect_network(container.id, front)
    assert lines_at_end(engine, container) == ["up", "nameserver 192.0.2.7"]
