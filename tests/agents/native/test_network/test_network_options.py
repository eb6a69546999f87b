"""User-chosen ranges and options, ports, macvlan, and what lies across our subnets."""

import socket
from contextlib import ExitStack

import pytest

from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from agents.errors import AgentError, ConflictError, InvalidInputError, NotFoundError
from agents.linux import netlink, process
from tests.agents.native.test_network.network_lab import (
    NO_ERROR,
    Container,
    Host,
    eventually,
)

pytestmark = pytest.mark.root

_ICC = "com.docker.network.bridge.enable_icc"
_BRIDGE = "com.docker.network.bridge.name"


def attach(host: Host, name: str, network: str = "front", *ports: PortSpec, **more) -> Container:
    container = host.container(name)
    endpoints = (EndpointSpec(network=network),)
    container.held = host.networks.attach(
        container.request(endpoints=endpoints, ports=ports, **more)
    )
    container.address = container.held.endpoints[0].ipv4_address
    return container


def front(**fields: object) -> NetworkSpec:
    return NetworkSpec(name="front", **fields)


def link_text(place: Host | Container, name: str) -> str:
    return place.run(lambda: process.run(["ip", "-d", "link", "show", name])).text()


def test_addresses_come_from_the_range(host: Host) -> None:
    host.networks.create(front(subnet="10.44.0.0/16", ip_range="10.44.7.0/30"))
    found = {attach(host, f"c{number}").address for number in range(4)}
    assert found == {f"10.44.7.{number}" for number in range(4)}
    with pytest.raises(ConflictError, match="all addresses of the network front are taken"):
        attach(host, "more")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"subnet": "10.44.0.0/16", "ip_range": "10.45.0.0/24"}, InvalidInputError),
        ({"ip_range": "nothing"}, InvalidInputError),
        ({"options": {"colour": "red"}}, InvalidInputError),
        ({"options": {"mtu": "many"}}, InvalidInputError),
        ({"options": {"mtu": "600"}, "ipv6": True}, InvalidInputError),
        ({"options": {_ICC: "maybe"}}, InvalidInputError),
        ({"options": {_BRIDGE: 'a" drop'}}, InvalidInputError),
        ({"options": {_BRIDGE: "lo"}}, ConflictError),
        ({"subnet6": "10.0.0.0/24"}, InvalidInputError),
        ({"driver": "macvlan"}, InvalidInputError),
        ({"driver": "macvlan", "parent": "nothere"}, NotFoundError),
    ],
)
def test_what_makes_no_sense_is_refused(
    host: Host, fields: dict[str, object], error: type[AgentError]
) -> None:
    with pytest.raises(error):
        host.networks.create(front(**fields))
    assert host.networks.list() == ()


def test_a_bridge_has_the_name_and_packet_size_asked_for(host: Host) -> None:
    host.networks.create(front(options={_BRIDGE: "mine0", "mtu": "1400"}))
    one = attach(host, "one")
    assert "mtu 1400" in link_text(host, "mine0")
    assert "mtu 1400" in link_text(one, "eth0")


def test_without_icc_containers_reach_the_host_but_not_each_other(host: Host) -> None:
    host.networks.create(front(options={_ICC: "false"}))
    one = attach(host, "one", "front", PortSpec(container_port=80, host_port=8080))
    one.serve(80, "one")
    two = attach(host, "two")
    with pytest.raises(OSError, match="timed out|No route"):
        two.ask(one.address, 80, timeout=0.3)
    assert host.ask("127.0.0.1", 8080).startswith("one")
    assert two.resolve("one", two.held.nameservers[0]) == (NO_ERROR, {one.address})


def test_ports_are_on_the_networks_default_address(host: Host) -> None:
    option = {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"}
    host.networks.create(front(options=option))
    held = attach(host, "one", "front", PortSpec(container_port=80)).held
    assert [port.host_ip for port in held.ports] == ["127.0.0.1"]


def test_a_range_gives_the_first_free_port(host: Host, stack: ExitStack) -> None:
    host.networks.create(front())
    stack.enter_context(host.run(lambda: socket.create_server(("127.0.0.1", 9000))))
    wanted = PortSpec(container_port=80, host_port=9000, host_port_end=9002)
    numbers = [attach(host, f"c{n}", "front", wanted).held.ports[0].host_port for n in (1, 2)]
    assert numbers == [9001, 9002]
    with pytest.raises(ConflictError, match="no port of 9000-9002/tcp is free"):
        attach(host, "c3", "front", wanted)


def test_other_names_are_asked_from_the_containers_own_servers(
    host: Host, stack: ExitStack
) -> None:
    pid_file = host.folder / "upstream.pid"
    argv = ["dnsmasq", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"]
    argv += ["--address=/own.example/203.0.113.9", "--listen-address=127.0.0.9"]
    argv += ["--bind-interfaces", f"--pid-file={pid_file}"]
    host.run(lambda: process.run(argv))
    stack.callback(process.stop, int(pid_file.read_text()))
    host.networks.create(front())
    one = attach(host, "one", dns=("127.0.0.9",))
    two = attach(host, "two")
    server = one.held.nameservers[0]
    assert one.resolve("www.own.example", server) == (NO_ERROR, {"203.0.113.9"})
    assert one.resolve("two", server) == (NO_ERROR, {two.address})
    with pytest.raises(TimeoutError):
        two.resolve("www.own.example", server, timeout=0.2)


def test_a_macvlan_sits_on_the_parents_network(host: Host) -> None:
    neighbour = host.neighbour()
    neighbour.serve(90, "outside")
    host.run(lambda: process.run(["ip", "link", "add", "up0", "type", "veth", "peer", "up1"]))
    for argv in (["up0", "master", "lan0", "up"], ["up1", "up"]):
        host.run(lambda argv=argv: process.run(["ip", "link", "set", *argv]))
    spec = NetworkSpec(
        name="lan",
        driver="macvlan",
        parent="up1",
        subnet="192.168.77.0/24",
        gateway="192.168.77.1",
        ip_range="192.168.77.128/25",
    )
    record = host.networks.create(spec)
    assert (record.driver, record.parent) == ("macvlan", "up1")
    one = attach(host, "one", "lan")
    assert one.ask("192.168.77.2", 90) == f"outside {one.address}"
    assert one.held.nameservers == ()
    host.networks.leave(one.id, "lan")
    assert {link.name for link in one.run(netlink.list_links)} == {"lo"}


def test_an_interface_that_comes_later_with_our_subnet_is_reported(host: Host) -> None:
    subnet = host.networks.create(front()).subnet
    attach(host, "one")
    assert host.networks.warnings() == ()
    host.run(lambda: process.run(["ip", "link", "add", "vpn0", "type", "veth", "peer", "vpn1"]))
    host.run(lambda: process.run(["ip", "addr", "add", "10.210.0.200/25", "dev", "vpn0"]))
    (warning,) = host.networks.warnings()
    assert f"{subnet} of the network front is also that of the address 10.210.0.200/25" in warning


def test_a_route_of_another_table_counts_as_taken(host: Host) -> None:
    argv = ["ip", "route", "add", "blackhole", "10.210.0.0/24", "table", "77"]
    host.run(lambda: process.run(argv))
    assert host.networks.create(front()).subnet == "10.210.1.0/24"
    with pytest.raises(ConflictError, match="in use by a route of this host in table 77"):
        host.networks.create(NetworkSpec(name="back", subnet="10.210.0.0/24"))


def test_another_pool_is_used_where_a_route_lies_across_the_first(host: Host) -> None:
    host.run(lambda: process.run(["ip", "route", "add", "blackhole", "10.0.0.0/8"]))
    assert host.networks.create(front()).subnet == "172.28.0.0/24"


def test_flushed_rules_come_back_by_themselves(host: Host) -> None:
    host.networks.create(front())
    attach(host, "web", "front", PortSpec(container_port=80, host_port=8080)).serve(80, "web")
    for text in ("flush ruleset", "table inet other { }"):
        host.run(lambda text=text: process.run(["nft", "-f", "-"], input=text.encode()))
        eventually(lambda: _answers(host))


def _answers(host: Host) -> bool:
    try:
        return host.ask("127.0.0.1", 8080, timeout=0.2).startswith("web")
    except OSError:
        return False


def test_a_firewall_that_comes_later_with_docker_is_passed(host: Host) -> None:
    host.networks.create(front())
    attach(host, "web", "front", PortSpec(container_port=80, host_port=8080)).serve(80, "web")
    neighbour = host.neighbour()
    text = """table ip filter {
        chain DOCKER-USER { }
        chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }
    }"""
    host.run(lambda: process.run(["nft", "-f", "-"], input=text.encode()))

    def passes() -> bool:
        try:
            return neighbour.ask("192.168.77.1", 8080, timeout=0.2).startswith("web")
        except OSError:
            return False

    eventually(passes)


def test_a_killed_resolver_is_there_again_by_itself(host: Host) -> None:
    host.networks.create(front())
    one = attach(host, "one")
    pid = int(next((host.folder / "run" / "dns").glob("*.pid")).read_text())
    process.signal_process(pid, 9)

    def answers() -> bool:
        try:
            found = one.resolve("one", one.held.nameservers[0], timeout=0.2)
            return found == (NO_ERROR, {one.address})
        except OSError:
            return False

    eventually(answers)
