"""IPv6: addresses, names, traffic, ports, isolation."""

import pytest

from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from agents.errors import ConflictError, InvalidInputError, NotSupportedError
from agents.linux import process
from agents.linux.sysctls import read_sysctl, write_sysctl
from tests.agents.native.test_network.network_lab import AAAA, NO_ERROR, PTR, Container, Host

pytestmark = pytest.mark.root

SIX = NetworkSpec(name="six", ipv6=True)


def attach(host: Host, name: str, network: str = "six", *ports: PortSpec, **fields) -> Container:
    container = host.container(name)
    endpoints = (EndpointSpec(network=network, **fields),)
    container.held = host.networks.attach(container.request(endpoints=endpoints, ports=ports))
    container.address = container.held.endpoints[0].ipv6_address
    return container


@pytest.fixture
def web(host: Host) -> Container:
    """A container on ``six`` that answers on port 80, published as 8080 of the host."""
    host.networks.create(SIX)
    web = attach(host, "web", "six", PortSpec(container_port=80, host_port=8080))
    web.serve(80, "web", "::")
    return web


def test_a_network_gets_a_unique_local_subnet_of_its_own(host: Host) -> None:
    one = host.networks.create(SIX)
    other = host.networks.create(NetworkSpec(name="other", ipv6=True))
    assert one.subnet6.startswith("fd")
    assert one.subnet6.endswith("/64")
    assert one.subnet6 != other.subnet6
    assert one.subnet


def test_a_user_chosen_subnet_and_address_are_taken(host: Host) -> None:
    host.networks.create(NetworkSpec(name="six", subnet6="fd12:3456::/64", gateway6="fd12:3456::9"))
    held = attach(host, "one", ipv6_address="fd12:3456::77").held.endpoints[0]
    assert (held.ipv6_address, held.gateway6) == ("fd12:3456::77", "fd12:3456::9")
    with pytest.raises(ConflictError, match="fd12:3456::77 .* is taken"):
        attach(host, "two", ipv6_address="fd12:3456::77")


def test_an_ipv6_address_needs_a_network_with_ipv6(host: Host) -> None:
    host.networks.create(NetworkSpec(name="four"))
    with pytest.raises(InvalidInputError, match="four has no IPv6"):
        attach(host, "one", "four", ipv6_address="fd00::1")


def test_a_subnet_that_the_host_routes_elsewhere_is_refused(host: Host) -> None:
    host.neighbour()
    with pytest.raises(ConflictError, match=r"fd77::/64, in use by the address fd77::1/64 of lan0"):
        host.networks.create(NetworkSpec(name="six", subnet6="fd77::/48"))


def test_addresses_are_ready_at_once_and_nothing_else_is_learnt(host: Host) -> None:
    host.networks.create(SIX)
    one = attach(host, "one")
    listed = one.run(lambda: process.run(["ip", "-6", "addr", "show", "dev", "eth0"])).text()
    assert one.address in listed
    assert "tentative" not in listed
    assert one.run(lambda: read_sysctl("net/ipv6/conf/eth0/accept_ra")) == "0"


def test_without_it_a_container_has_no_ipv6_on_its_network(host: Host) -> None:
    host.networks.create(NetworkSpec(name="four"))
    one = attach(host, "one", "four")
    assert "inet6" not in one.run(lambda: process.run(["ip", "addr", "show", "eth0"])).text()


def test_containers_reach_each_other(host: Host, web: Container) -> None:
    other = attach(host, "other")
    assert other.ask(web.address, 80) == f"web {other.address}"


def test_names_have_both_addresses_and_addresses_have_names(host: Host, web: Container) -> None:
    other = attach(host, "other")
    server = other.held.nameservers[0]
    found = other.resolve("web", server, AAAA)
    assert found == (NO_ERROR, {_packed(web.address)})
    assert other.resolve("web", server)[1] == {web.held.endpoints[0].ipv4_address}
    code, names = other.resolve(_reverse(web.held.endpoints[0].ipv4_address), server, PTR)
    assert code == NO_ERROR
    assert any(b"web".hex() in name for name in names)


def _packed(address: str) -> str:
    from ipaddress import IPv6Address

    return IPv6Address(address).packed.hex()


def _reverse(address: str) -> str:
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def test_a_port_is_published_on_both_families(host: Host, web: Container) -> None:
    neighbour = host.neighbour()
    assert [port.host_ip for port in web.held.ports] == ["0.0.0.0", "::"]
    assert neighbour.ask("fd77::1", 8080) == "web fd77::2"
    assert neighbour.ask("192.168.77.1", 8080).startswith("web")


def test_the_host_is_sent_from_its_ipv6_loopback_to_the_other_at_once(
    host: Host, web: Container
) -> None:
    assert host.ask("127.0.0.1", 8080).startswith("web")
    with pytest.raises(OSError, match="refused"):
        host.ask("::1", 8080)


def test_a_port_on_one_address_is_on_that_address_alone(host: Host) -> None:
    host.networks.create(SIX)
    neighbour = host.neighbour()
    port = PortSpec(container_port=80, host_port=8081, host_ip="fd77::1")
    attach(host, "web", "six", port).serve(80, "web", "::")
    assert neighbour.ask("fd77::1", 8081).startswith("web")
    with pytest.raises(OSError, match="refused"):
        neighbour.ask("192.168.77.1", 8081)


def test_a_port_cannot_be_on_the_loopback_address(host: Host) -> None:
    host.networks.create(SIX)
    with pytest.raises(NotSupportedError, match="::1"):
        attach(host, "web", "six", PortSpec(container_port=80, host_ip="::1"))


def test_a_port_on_an_ipv6_address_needs_a_network_with_ipv6(host: Host) -> None:
    host.networks.create(NetworkSpec(name="four"))
    with pytest.raises(InvalidInputError, match="needs a network with IPv6"):
        attach(host, "one", "four", PortSpec(container_port=80, host_ip="::"))


def test_a_container_reaches_other_machines_under_the_hosts_address(
    host: Host, web: Container
) -> None:
    host.neighbour().serve(90, "outside", "::")
    assert web.ask("fd77::2", 90) == "outside fd77::1"


def test_a_container_uses_its_own_published_port(host: Host, web: Container) -> None:
    host.neighbour()
    assert web.ask("fd77::1", 8080).startswith("web")


def test_networks_do_not_reach_each_other(host: Host, web: Container) -> None:
    other_network = host.networks.create(NetworkSpec(name="other", ipv6=True))
    other = attach(host, "other", "other")
    with pytest.raises(OSError, match="timed out"):
        other.ask(web.address, 80, timeout=0.3)
    with pytest.raises(OSError, match="timed out"):
        web.ask(other_network.gateway6, 8080, timeout=0.3)


def test_another_machine_does_not_reach_what_is_not_published(host: Host, web: Container) -> None:
    neighbour = host.neighbour()
    with pytest.raises(OSError, match="timed out"):
        neighbour.ask(web.address, 80, timeout=0.3)


def test_an_internal_network_has_no_way_out(host: Host) -> None:
    host.neighbour().serve(90, "outside", "::")
    host.networks.create(NetworkSpec(name="inside", ipv6=True, internal=True))
    one, two = attach(host, "one", "inside"), attach(host, "two", "inside")
    two.serve(80, "two", "::")
    assert one.ask(two.address, 80) == f"two {one.address}"
    with pytest.raises(OSError, match="unreachable"):
        one.ask("fd77::2", 90)


def test_the_host_still_listens_to_its_routers_and_is_as_before_afterwards(host: Host) -> None:
    host.run(lambda: process.run(["ip", "link", "add", "up0", "type", "veth", "peer", "up1"]))
    settings = ("net/ipv6/conf/up0/accept_ra", "net/ipv6/conf/all/forwarding")

    def now() -> list[str]:
        return host.run(lambda: [read_sysctl(one) for one in settings])

    host.run(lambda: write_sysctl(settings[1], "0"))
    host.run(lambda: write_sysctl(settings[0], "1"))
    host.networks.create(SIX)
    assert now() == ["2", "1"]
    host.networks.remove("six")
    assert now() == ["1", "0"]
