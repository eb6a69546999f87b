import socket
from contextlib import ExitStack

import pytest

from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from tests.agents.native.test_network.network_lab import Container, Host

pytestmark = pytest.mark.root


def attach(host: Host, name: str, *networks: str, ports: tuple[PortSpec, ...] = ()) -> Container:
    container = host.container(name)
    endpoints = tuple(EndpointSpec(network=network) for network in networks)
    container.held = host.networks.attach(container.request(endpoints=endpoints, ports=ports))
    container.address = container.held.endpoints[0].ipv4_address
    return container


@pytest.fixture
def web(host: Host) -> Container:
    """A container on ``front`` that answers on port 80, published as 8080 of the host."""
    host.networks.create(NetworkSpec(name="front"))
    web = attach(host, "web", "front", ports=(PortSpec(container_port=80, host_port=8080),))
    web.serve(80, "web")
    return web


def test_containers_of_a_network_reach_each_other(host: Host, web: Container) -> None:
    other = attach(host, "other", "front")
    assert other.ask(web.address, 80) == f"web {other.address}"


def test_the_host_reaches_a_published_port_on_127_0_0_1(host: Host, web: Container) -> None:
    assert host.ask("127.0.0.1", 8080).startswith("web")


def test_the_host_reaches_a_published_port_on_its_own_address(host: Host, web: Container) -> None:
    host.neighbour()
    assert host.ask("192.168.77.1", 8080).startswith("web")


def test_another_machine_reaches_a_published_port(host: Host, web: Container) -> None:
    assert host.neighbour().ask("192.168.77.1", 8080) == "web 192.168.77.2"


def test_another_machine_does_not_reach_what_is_not_published(host: Host, web: Container) -> None:
    neighbour = host.neighbour()
    with pytest.raises(OSError, match="timed out"):
        neighbour.ask(web.address, 80, timeout=0.3)


def test_a_neighbour_in_the_same_network_uses_a_published_port(host: Host, web: Container) -> None:
    host.neighbour()
    other = attach(host, "other", "front")
    assert other.ask("192.168.77.1", 8080).startswith("web")


def test_a_container_reaches_its_own_published_port(host: Host, web: Container) -> None:
    host.neighbour()
    assert web.ask("192.168.77.1", 8080).startswith("web")


def test_a_container_of_another_network_uses_a_published_port(host: Host, web: Container) -> None:
    host.neighbour()
    host.networks.create(NetworkSpec(name="back"))
    other = attach(host, "other", "back")
    assert other.ask("192.168.77.1", 8080).startswith("web")


def test_networks_do_not_reach_each_other(host: Host, web: Container) -> None:
    host.networks.create(NetworkSpec(name="back"))
    other = attach(host, "other", "back")
    with pytest.raises(OSError, match="timed out"):
        other.ask(web.address, 80, timeout=0.3)


def test_a_container_reaches_other_machines_under_the_hosts_address(
    host: Host, web: Container
) -> None:
    host.neighbour().serve(90, "outside")
    assert web.ask("192.168.77.2", 90) == "outside 192.168.77.1"


def test_a_container_does_not_reach_127_0_0_1_of_the_host(host: Host, web: Container) -> None:
    host.serve(99, "secret", "127.0.0.2")
    gateway = web.held.endpoints[0].gateway
    web.run(lambda: _route_loopback(gateway))
    with pytest.raises(OSError, match="timed out|No route|unreachable"):
        web.ask("127.0.0.2", 99, timeout=0.3)


def _route_loopback(gateway: str) -> None:
    from agents.linux import process
    from agents.linux.sysctls import write_sysctl

    write_sysctl("net/ipv4/conf/all/route_localnet", "1")
    process.run(["ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local"])
    process.run(["ip", "route", "add", "127.0.0.2/32", "via", gateway])


def test_a_port_on_127_0_0_1_is_for_the_host_alone(host: Host) -> None:
    host.networks.create(NetworkSpec(name="front"))
    neighbour = host.neighbour()
    port = PortSpec(container_port=80, host_port=8081, host_ip="127.0.0.1")
    attach(host, "web", "front", ports=(port,)).serve(80, "web")
    assert host.ask("127.0.0.1", 8081).startswith("web")
    with pytest.raises(OSError, match="refused"):
        neighbour.ask("192.168.77.1", 8081)


def test_an_internal_network_has_no_way_out(host: Host) -> None:
    host.neighbour().serve(90, "outside")
    host.networks.create(NetworkSpec(name="inside", internal=True))
    one, two = attach(host, "one", "inside"), attach(host, "two", "inside")
    two.serve(80, "two")
    assert one.ask(two.address, 80) == f"two {one.address}"
    with pytest.raises(OSError, match="unreachable"):
        one.ask("192.168.77.2", 90)


def test_a_container_on_two_networks_reaches_both(host: Host, web: Container) -> None:
    host.networks.create(NetworkSpec(name="back"))
    store = attach(host, "store", "back")
    store.serve(70, "store")
    both = attach(host, "both", "front", "back")
    assert both.ask(web.address, 80).startswith("web")
    assert both.ask(store.address, 70).startswith("store")


def test_a_sender_over_udp_reaches_the_container_that_has_the_port_now(
    host: Host, stack: ExitStack
) -> None:
    host.networks.create(NetworkSpec(name="front"))
    port = PortSpec(container_port=70, host_port=7070, protocol="udp")
    sender = stack.enter_context(host.run(lambda: socket.socket(type=socket.SOCK_DGRAM)))
    sender.sendto(b"0", ("127.0.0.1", 7070))
    for name in ("one", "two"):
        container = attach(host, name, "front", ports=(port,))
        receiver = stack.enter_context(container.run(lambda: socket.socket(type=socket.SOCK_DGRAM)))
        receiver.settimeout(3)
        receiver.bind(("0.0.0.0", 70))
        sender.sendto(name.encode(), ("127.0.0.1", 7070))
        assert receiver.recv(10) == name.encode()
        host.networks.detach(container.id)


def test_a_detached_containers_port_is_closed_at_once(host: Host, web: Container) -> None:
    host.networks.detach(web.id)
    with pytest.raises(OSError, match="refused"):
        host.ask("127.0.0.1", 8080)


def test_published_ports_go_on_when_the_agent_is_killed(
    host: Host, web: Container, stack: ExitStack
) -> None:
    host.end_agent()
    assert host.ask("127.0.0.1", 8080).startswith("web")
    host.restart_agent((web.id,))
    assert host.ask("127.0.0.1", 8080).startswith("web")
