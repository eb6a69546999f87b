import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.engines.native.network import Networks
from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from agents.errors import (
    AgentError,
    ConflictError,
    InvalidInputError,
    KernelError,
    NotFoundError,
    NotSupportedError,
)
from agents.linux import namespaces, netlink, process
from agents.linux.sysctls import read_sysctl, write_sysctl
from tests.agents.native.test_network.network_lab import Container, Host

pytestmark = pytest.mark.root

FRONT = NetworkSpec(name="front")


def links(host: Host) -> set[str]:
    return {link.name for link in host.run(netlink.list_links)} - {"lo"}


def rules(host: Host) -> str:
    return host.run(lambda: process.run(["nft", "list", "ruleset"])).text()


def attach(host: Host, container: Container, *ports: PortSpec, **fields: str):
    endpoints = (EndpointSpec(network="front", **fields),)
    return host.networks.attach(container.request(endpoints=endpoints, ports=ports))


def test_making_a_network_twice_returns_the_first(host: Host) -> None:
    assert host.networks.create(FRONT) == host.networks.create(FRONT)
    assert len(links(host)) == 1


def test_the_same_name_with_another_spec_is_a_conflict(host: Host) -> None:
    host.networks.create(FRONT)
    with pytest.raises(ConflictError, match="is there with another internal"):
        host.networks.create(NetworkSpec(name="front", internal=True))


def test_the_last_network_leaves_no_trace(host: Host) -> None:
    host.networks.create(FRONT)
    host.networks.create(NetworkSpec(name="back"))
    for name in ("front", "back", "back"):
        host.networks.remove(name)
    assert (links(host), rules(host)) == (set(), "")
    assert host.run(lambda: read_sysctl("net/ipv4/ip_forward")) == "0"
    assert not list((host.folder / "root" / "networks").glob("*.json"))


def test_forwarding_that_was_on_before_stays_on(host: Host) -> None:
    host.run(lambda: write_sysctl("net/ipv4/ip_forward", "1"))
    host.networks.create(FRONT)
    host.networks.remove("front")
    assert host.run(lambda: read_sysctl("net/ipv4/ip_forward")) == "1"


def test_forwarding_stays_on_for_somebody_elses_bridge(host: Host) -> None:
    host.networks.create(FRONT)
    host.neighbour()
    host.networks.remove("front")
    assert host.run(lambda: read_sysctl("net/ipv4/ip_forward")) == "1"


def test_subnets_that_the_host_uses_are_left_out(host: Host) -> None:
    argv = ["ip", "route", "add", "blackhole", "10.210.0.0/23"]
    host.run(lambda: process.run(argv))
    assert host.networks.create(FRONT).subnet == "10.210.2.0/24"
    assert host.networks.create(NetworkSpec(name="back")).subnet == "10.210.3.0/24"


def test_an_asked_subnet_in_use_is_a_conflict_that_leaves_nothing(host: Host) -> None:
    host.networks.create(FRONT)
    before = links(host)
    with pytest.raises(ConflictError, match=r"overlaps 10\.210\.0\.0/24"):
        host.networks.create(NetworkSpec(name="back", subnet="10.210.0.0/16"))
    assert links(host) == before
    assert [one.name for one in host.networks.list()] == ["front"]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (NetworkSpec(name="n", subnet="10.0.0.0/33"), InvalidInputError),
        (NetworkSpec(name="n", subnet="10.0.0.1/24"), InvalidInputError),
        (NetworkSpec(name="n", subnet="10.0.0.0/30"), InvalidInputError),
        (NetworkSpec(name="n", subnet="10.0.0.0/24", gateway="10.0.1.1"), InvalidInputError),
        (NetworkSpec(name="n", subnet="fd00::/64"), InvalidInputError),
        (NetworkSpec(name="n", driver="overlay"), NotSupportedError),
    ],
)
def test_a_bad_spec_is_refused(host: Host, spec: NetworkSpec, error: type[AgentError]) -> None:
    with pytest.raises(error):
        host.networks.create(spec)
    assert links(host) == set()


def test_a_network_with_containers_is_not_removed(host: Host) -> None:
    host.networks.create(FRONT)
    attach(host, host.container("web"))
    with pytest.raises(ConflictError, match="the network front is used by web"):
        host.networks.remove("front")


def test_networks_are_listed_by_labels(host: Host) -> None:
    host.networks.create(NetworkSpec(name="front", labels={"project": "p", "x": "y"}))
    host.networks.create(NetworkSpec(name="back"))
    assert [one.name for one in host.networks.list({"project": "p"})] == ["front"]


def test_an_address_is_not_given_out_again_at_once(host: Host) -> None:
    host.networks.create(FRONT)
    container = host.container("web")
    first = attach(host, container).endpoints[0].ipv4_address
    host.networks.detach(container.id)
    assert attach(host, container).endpoints[0].ipv4_address != first


def test_an_asked_address_is_given_once(host: Host) -> None:
    host.networks.create(FRONT)
    held = attach(host, host.container("one"), ipv4_address="10.210.0.77")
    assert held.endpoints[0].ipv4_address == "10.210.0.77"
    with pytest.raises(ConflictError, match=r"10\.210\.0\.77 .* is taken"):
        attach(host, host.container("two"), ipv4_address="10.210.0.77")


def test_a_port_of_another_container_is_a_conflict_that_leaves_nothing(host: Host) -> None:
    host.networks.create(FRONT)
    attach(host, host.container("one"), PortSpec(container_port=80, host_port=8080))
    two = host.container("two")
    before = links(host)
    with pytest.raises(ConflictError, match="port 8080/tcp is in use by the container one"):
        attach(host, two, PortSpec(container_port=81, host_port=8080))
    host.networks.settle()
    assert links(host) == before
    assert host.networks.attachment(two.id) is None


def test_a_port_of_a_program_names_the_program(host: Host) -> None:
    host.networks.create(FRONT)
    server = host.run(lambda: socket.create_server(("127.0.0.1", 8080)))
    with server, pytest.raises(ConflictError, match=r"8080/tcp is in use by the program \S+ \(pr"):
        attach(host, host.container("one"), PortSpec(container_port=80, host_port=8080))


def test_tcp_and_udp_and_different_addresses_do_not_clash(host: Host) -> None:
    host.networks.create(FRONT)
    held = attach(
        host,
        host.container("one"),
        PortSpec(container_port=80, host_port=8080, host_ip="127.0.0.1"),
        PortSpec(container_port=80, host_port=8080, host_ip="127.0.0.2"),
        PortSpec(container_port=80, host_port=8080, protocol="udp"),
    )
    assert [port.host_ip for port in held.ports] == ["127.0.0.1", "127.0.0.2", "0.0.0.0"]


def test_port_0_gets_a_free_port(host: Host) -> None:
    host.networks.create(FRONT)
    container = host.container("one")
    (port,) = attach(host, container, PortSpec(container_port=80)).ports
    container.serve(80, "one")
    assert host.ask("127.0.0.1", port.host_port).startswith("one")


def test_a_missing_network_is_named(host: Host) -> None:
    with pytest.raises(NotFoundError, match="there is no network front"):
        attach(host, host.container("one"))


def test_a_missing_namespace_leaves_nothing_attached(host: Host) -> None:
    host.networks.create(FRONT)
    before = links(host), rules(host)
    container = host.container("one")
    namespaces.remove_network_namespace(container.path)
    with pytest.raises(KernelError, match="one"):
        attach(host, container, PortSpec(container_port=80, host_port=8080))
    host.networks.settle()
    assert (links(host), rules(host)) == before


def test_detaching_twice_and_without_the_namespace_succeeds(host: Host) -> None:
    host.networks.create(FRONT)
    before = links(host)
    container = host.container("one")
    attach(host, container)
    namespaces.remove_network_namespace(container.path)
    host.networks.detach(container.id)
    host.networks.detach(container.id)
    host.networks.settle()
    assert links(host) == before


def test_without_networks_a_container_has_its_loopback(host: Host) -> None:
    container = host.container("one")
    assert host.networks.attach(container.request()).endpoints == ()
    container.serve(80, "own")
    assert container.ask("127.0.0.1", 80).startswith("own")


def test_adopting_makes_again_what_a_reboot_took(host: Host) -> None:
    host.networks.create(FRONT)
    web, gone = host.container("web"), host.container("gone")
    attach(host, web, PortSpec(container_port=80, host_port=8080))
    attach(host, gone)
    web.serve(80, "web")
    (bridge,) = (name for name in links(host) if name.startswith("wp"))
    host.run(lambda: netlink.delete_link(bridge))
    host.run(lambda: process.run(["nft", "flush", "ruleset"]))
    host.restart_agent((web.id,))
    assert host.ask("127.0.0.1", 8080).startswith("web")
    assert host.networks.attachment(gone.id) is None


def test_what_a_killed_agent_was_about_to_remove_is_whole_again(host: Host) -> None:
    """Interfaces are marked, then those marked are removed: it was killed in between."""
    host.networks.create(FRONT)
    web = host.container("web")
    attach(host, web, PortSpec(container_port=80, host_port=8080))
    web.serve(80, "web")
    for link in links(host):
        argv = ("ip", "link", "set", link, "group", str(netlink.DOOMED))
        host.run(lambda argv=argv: process.run(argv))
    host.restart_agent((web.id,))
    other = host.container("other")
    attach(host, other)
    host.networks.detach(other.id)
    host.networks.settle()
    assert host.ask("127.0.0.1", 8080).startswith("web")


def test_making_a_network_again_mends_its_bridge(host: Host) -> None:
    host.networks.create(FRONT)
    web = host.container("web")
    attach(host, web, PortSpec(container_port=80, host_port=8080))
    web.serve(80, "web")
    (bridge,) = (name for name in links(host) if name.startswith("wp"))
    host.run(lambda: netlink.delete_link(bridge))
    host.networks.create(FRONT)
    assert host.ask("127.0.0.1", 8080).startswith("web")


def test_a_damaged_file_does_not_keep_the_agent_from_starting(host: Host) -> None:
    host.networks.create(FRONT)
    file = host.folder / "root" / "networks" / "zz.json"
    file.write_bytes(b"")
    host.restart_agent()
    assert [one.name for one in host.networks.list()] == ["front"]
    assert file.with_suffix(".damaged").exists()


def test_two_agents_of_one_machine_keep_out_of_each_others_way(host: Host) -> None:
    other = Networks(host.folder / "root2", host.folder / "run2")
    host.networks.create(FRONT)
    assert host.run(lambda: other.create(FRONT)).subnet == "10.210.1.0/24"
    host.networks.remove("front")
    assert len(links(host)) == 1
    host.run(lambda: other.remove("front"))
    assert (links(host), rules(host)) == (set(), "")


def test_containers_are_attached_by_many_threads_at_once(host: Host) -> None:
    containers = [host.container(f"c{number}") for number in range(6)]
    specs = [NetworkSpec(name=f"n{number % 2}") for number in range(6)]

    def start(spec: NetworkSpec, container: Container) -> str:
        host.networks.create(spec)
        endpoints = (EndpointSpec(network=spec.name),)
        held = host.networks.attach(container.request(endpoints=endpoints))
        return held.endpoints[0].ipv4_address

    with ThreadPoolExecutor(6) as pool:
        addresses = list(pool.map(start, specs, containers))
    assert len(set(addresses)) == 6
    assert len(host.networks.list()) == 2


def test_without_a_resolver_program_nothing_is_left(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "nft").symlink_to(shutil.which("nft"))
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(NotSupportedError, match="dnsmasq, which is not installed"):
            host.networks.create(FRONT)
    assert (links(host), rules(host), host.networks.list()) == (set(), "", ())


def test_rules_that_somebody_flushed_come_back_with_the_next_change(host: Host) -> None:
    host.networks.create(FRONT)
    web = host.container("web")
    attach(host, web, PortSpec(container_port=80, host_port=8080))
    web.serve(80, "web")
    host.run(lambda: process.run(["nft", "flush", "ruleset"]))
    attach(host, host.container("two"), PortSpec(container_port=80, host_port=8081))
    assert host.ask("127.0.0.1", 8080).startswith("web")


DOCKER = """
table ip filter {
    chain DOCKER-USER { }
    chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }
}
"""


def test_published_ports_pass_through_dockers_own_chain(host: Host) -> None:
    host.run(lambda: process.run(["nft", "-f", "-"], input=DOCKER.encode()))
    host.networks.create(FRONT)
    web = host.container("web")
    attach(host, web, PortSpec(container_port=80, host_port=8080))
    web.serve(80, "web")
    assert host.neighbour().ask("192.168.77.1", 8080).startswith("web")
    assert host.networks.warnings() == ()
    host.networks.detach(web.id)
    host.networks.remove("front")
    assert "webpanel" not in rules(host)


def test_a_foreign_chain_that_drops_is_reported(host: Host) -> None:
    text = DOCKER.replace("DOCKER-USER", "MINE")
    host.run(lambda: process.run(["nft", "-f", "-"], input=text.encode()))
    (warning,) = host.networks.warnings()
    assert "ip filter FORWARD drops forwarded packets" in warning


def test_what_is_reserved_is_connected_later(host: Host) -> None:
    host.networks.create(FRONT)
    web = host.container("web")
    ports = (PortSpec(container_port=80, host_port=8080),)
    wanted = web.request(endpoints=(EndpointSpec(network="front"),), ports=ports)
    reserved = host.networks.reserve(wanted)
    with pytest.raises(ConflictError, match="in use by the container web"):
        attach(host, host.container("two"), *ports)
    assert host.networks.connect(web.id, web.path) == reserved
    web.serve(80, "web")
    assert host.ask("127.0.0.1", 8080).startswith("web")


def test_what_is_reserved_can_be_given_back(host: Host) -> None:
    host.networks.create(FRONT)
    web = host.container("web")
    host.networks.reserve(web.request(endpoints=(EndpointSpec(network="front"),)))
    host.networks.detach(web.id)
    with pytest.raises(NotFoundError, match="nothing is reserved"):
        host.networks.connect(web.id, web.path)
    host.networks.remove("front")
