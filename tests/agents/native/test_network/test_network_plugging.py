"""Containers that join and leave networks while they run."""

import pytest

from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from agents.errors import ConflictError, NotFoundError
from agents.linux import netlink, process
from tests.agents.native.test_network.network_lab import NO_ERROR, NO_SUCH_NAME, Container, Host

pytestmark = pytest.mark.root


@pytest.fixture
def web(host: Host) -> Container:
    """A container on ``front`` that answers on port 80, published as 8080 of the host."""
    for name in ("front", "back"):
        host.networks.create(NetworkSpec(name=name))
    return attach(host, "web", "front", PortSpec(container_port=80, host_port=8080))


def attach(host: Host, name: str, network: str, *ports: PortSpec) -> Container:
    container = host.container(name)
    wanted = container.request(endpoints=(EndpointSpec(network=network),), ports=ports)
    container.held = host.networks.attach(wanted)
    container.server = container.held.nameservers[0]
    container.serve(80, name)
    return container


def interfaces(container: Container) -> set[str]:
    return {link.name for link in container.run(netlink.list_links)} - {"lo"}


def default_route(container: Container) -> str:
    argv = ["ip", "route", "show", "default"]
    return container.run(lambda: process.run(argv)).text().strip()


def test_who_joins_a_network_reaches_it_and_its_names(host: Host, web: Container) -> None:
    store = attach(host, "store", "back")
    held = host.networks.join(web.id, EndpointSpec(network="back", aliases=("w",)))
    assert [one.interface for one in held.endpoints] == ["eth0", "eth1"]
    assert web.ask(store.held.endpoints[0].ipv4_address, 80).startswith("store")
    code, found = web.resolve("store", held.nameservers[0])
    assert (code, found) == (NO_ERROR, {store.held.endpoints[0].ipv4_address})
    assert store.resolve("w", store.server) == (NO_ERROR, {held.endpoints[1].ipv4_address})
    assert host.ask("127.0.0.1", 8080).startswith("web")


def test_who_leaves_a_network_is_gone_from_it(host: Host, web: Container) -> None:
    store = attach(host, "store", "back")
    host.networks.join(web.id, EndpointSpec(network="back"))
    left = host.networks.leave(web.id, "back")
    assert [one.network for one in left.endpoints] == ["front"]
    assert interfaces(web) == {"eth0"}
    assert store.resolve("web", store.server)[0] == NO_SUCH_NAME
    assert host.ask("127.0.0.1", 8080).startswith("web")


def test_joining_and_leaving_twice_succeed(host: Host, web: Container) -> None:
    spec = EndpointSpec(network="back", ipv4_address="10.210.1.9")
    assert host.networks.join(web.id, spec) == host.networks.join(web.id, spec)
    assert host.networks.leave(web.id, "back") == host.networks.leave(web.id, "back")


def test_joining_again_in_another_way_is_a_conflict(host: Host, web: Container) -> None:
    host.networks.join(web.id, EndpointSpec(network="back"))
    with pytest.raises(ConflictError, match="on the network back already"):
        host.networks.join(web.id, EndpointSpec(network="back", aliases=("other",)))


def test_a_taken_address_leaves_the_container_as_it_was(host: Host, web: Container) -> None:
    host.networks.join(web.id, EndpointSpec(network="back", ipv4_address="10.210.1.9"))
    store = attach(host, "store", "front")
    with pytest.raises(ConflictError, match="is taken"):
        host.networks.join(store.id, EndpointSpec(network="back", ipv4_address="10.210.1.9"))
    assert interfaces(store) == {"eth0"}


def test_a_missing_network_or_container_is_named(host: Host, web: Container) -> None:
    with pytest.raises(NotFoundError, match="no network none"):
        host.networks.join(web.id, EndpointSpec(network="none"))
    with pytest.raises(NotFoundError, match="nothing is reserved"):
        host.networks.join("nobody", EndpointSpec(network="back"))


def test_the_greatest_priority_has_route_and_ports(host: Host, web: Container) -> None:
    before = default_route(web)
    held = host.networks.join(web.id, EndpointSpec(network="back", gateway_priority=5))
    assert default_route(web).startswith(f"default via {held.endpoints[1].gateway} ")
    assert host.ask("127.0.0.1", 8080).startswith("web")
    host.networks.leave(web.id, "back")
    assert default_route(web) == before
    assert host.ask("127.0.0.1", 8080).startswith("web")


def test_ports_begin_with_the_first_network_that_leads_out(host: Host) -> None:
    host.networks.create(NetworkSpec(name="inside", internal=True))
    host.networks.create(NetworkSpec(name="front"))
    one = attach(host, "one", "inside", PortSpec(container_port=80, host_port=8080))
    assert one.held.ports == ()
    assert host.networks.join(one.id, EndpointSpec(network="front")).ports[0].host_port == 8080
    assert host.ask("127.0.0.1", 8080).startswith("one")
    assert host.networks.leave(one.id, "front").ports == ()


def test_who_is_not_connected_yet_may_change_its_networks(host: Host, web: Container) -> None:
    late = host.container("late")
    host.networks.reserve(late.request(endpoints=(EndpointSpec(network="front"),)))
    host.networks.join(late.id, EndpointSpec(network="back"))
    host.networks.leave(late.id, "front")
    assert host.networks.connect(late.id, late.path).endpoints[0].network == "back"
    assert interfaces(late) == {"eth1"}


def test_a_restarted_agent_knows_who_joined(host: Host, web: Container) -> None:
    host.networks.join(web.id, EndpointSpec(network="back"))
    host.restart_agent((web.id,))
    assert [one.network for one in host.networks.attachment(web.id).endpoints] == ["front", "back"]
    assert interfaces(web) == {"eth0", "eth1"}
