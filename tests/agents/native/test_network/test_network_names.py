from contextlib import ExitStack
from pathlib import Path

import pytest

from agents.engines.specs import EndpointSpec, NetworkSpec
from agents.errors import InvalidInputError
from agents.linux import process
from tests.agents.native.test_network.network_lab import (
    AAAA,
    NO_ERROR,
    NO_SUCH_NAME,
    Container,
    Host,
    eventually,
)

pytestmark = pytest.mark.root


def attach(host: Host, name: str, *networks: str, alias: str = "svc") -> Container:
    container = host.container(name)
    endpoints = tuple(EndpointSpec(network=one, aliases=(alias,)) for one in networks)
    held = host.networks.attach(container.request(endpoints=endpoints, hostname=f"host-of-{name}"))
    container.server = held.nameservers[0]
    container.addresses = [endpoint.ipv4_address for endpoint in held.endpoints]
    return container


def look_up(container: Container, name: str, kind: int = 1, **options: bool) -> tuple:
    return container.resolve(name, container.server, kind, **options)


@pytest.fixture
def front(host: Host) -> None:
    host.networks.create(NetworkSpec(name="front"))


@pytest.fixture
def back(host: Host) -> None:
    host.networks.create(NetworkSpec(name="back"))


@pytest.mark.usefixtures("front")
@pytest.mark.parametrize("name", ["p-web_1", "P-Web_1", "host-of-p-web_1", "db.local", "short id"])
def test_a_container_is_found_by_each_of_its_names(host: Host, name: str) -> None:
    web = attach(host, "p-web_1", "front", alias="db.local")
    other = attach(host, "other", "front")
    asked = web.id[:12] if name == "short id" else name
    assert look_up(other, asked) == (NO_ERROR, {web.addresses[0]})


@pytest.mark.usefixtures("front")
def test_a_service_of_two_containers_has_both_addresses(host: Host) -> None:
    one, two = attach(host, "one", "front"), attach(host, "two", "front")
    assert look_up(one, "svc") == (NO_ERROR, {*one.addresses, *two.addresses})
    assert look_up(one, "svc", tcp=True) == (NO_ERROR, {*one.addresses, *two.addresses})


@pytest.mark.usefixtures("front")
def test_a_detached_container_is_forgotten(host: Host) -> None:
    one, two = attach(host, "one", "front"), attach(host, "two", "front")
    host.networks.detach(two.id)
    eventually(lambda: look_up(one, "svc") == (NO_ERROR, set(one.addresses)))
    assert look_up(one, "two")[0] == NO_SUCH_NAME


@pytest.mark.usefixtures("front")
def test_a_name_without_an_ipv6_address_still_exists(host: Host) -> None:
    assert look_up(attach(host, "one", "front"), "one", AAAA) == (NO_ERROR, set())


@pytest.mark.usefixtures("front", "back")
def test_a_network_does_not_know_the_names_of_another(host: Host) -> None:
    one = attach(host, "one", "front", alias="db")
    attach(host, "two", "back", alias="db")
    assert look_up(one, "two")[0] == NO_SUCH_NAME
    assert look_up(one, "db") == (NO_ERROR, set(one.addresses))


@pytest.mark.usefixtures("front", "back")
def test_a_container_on_two_networks_knows_the_names_of_both(host: Host) -> None:
    one, two = attach(host, "one", "front"), attach(host, "two", "back")
    both = attach(host, "both", "front", "back")
    assert look_up(both, "one") == (NO_ERROR, set(one.addresses))
    assert look_up(both, "two") == (NO_ERROR, set(two.addresses))
    assert look_up(one, "two")[0] == NO_SUCH_NAME
    assert look_up(one, "both") == (NO_ERROR, {both.addresses[0]})


@pytest.mark.usefixtures("front")
def test_other_names_go_to_the_hosts_name_servers(host: Host, stack: ExitStack) -> None:
    pid_file = host.folder / "upstream.pid"
    address = "--address=/outside.example/203.0.113.5"
    argv = ["dnsmasq", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", address]
    argv += ["--listen-address=127.0.0.1", "--bind-interfaces", f"--pid-file={pid_file}"]
    host.run(lambda: process.run(argv))
    stack.callback(process.stop, int(pid_file.read_text()))
    one = attach(host, "one", "front")
    assert look_up(one, "www.outside.example") == (NO_ERROR, {"203.0.113.5"})


@pytest.mark.usefixtures("front")
def test_a_name_server_of_the_host_on_port_53_is_not_in_the_way(
    host: Host, stack: ExitStack
) -> None:
    pid_file = host.folder / "wildcard.pid"
    argv = ["dnsmasq", "--conf-file=/dev/null", "--no-resolv", f"--pid-file={pid_file}"]
    host.run(lambda: process.run(argv))
    stack.callback(process.stop, int(pid_file.read_text()))
    host.networks.create(NetworkSpec(name="back"))
    one = attach(host, "one", "back")
    assert look_up(one, "one") == (NO_ERROR, set(one.addresses))


def resolver_ids(host: Host) -> list[int]:
    return [int(path.read_text()) for path in (host.folder / "run" / "dns").glob("*.pid")]


@pytest.mark.usefixtures("front")
def test_a_resolver_that_died_is_started_by_the_next_change(host: Host) -> None:
    (pid,) = resolver_ids(host)
    process.stop(pid)
    one = attach(host, "one", "front")
    assert look_up(one, "one") == (NO_ERROR, set(one.addresses))


@pytest.mark.usefixtures("front")
def test_the_resolver_is_not_root_and_goes_with_its_network(host: Host) -> None:
    (pid,) = resolver_ids(host)
    assert "Uid:\t65534" in Path(f"/proc/{pid}/status").read_text()
    host.networks.remove("front")
    assert not process.is_running(pid)
    assert not (host.folder / "run" / "dns").exists()


@pytest.mark.usefixtures("front")
def test_names_go_on_while_the_agent_is_away(host: Host) -> None:
    one = attach(host, "one", "front")
    (pid,) = resolver_ids(host)
    host.restart_agent((one.id,))
    assert resolver_ids(host) == [pid]
    assert look_up(one, "one") == (NO_ERROR, set(one.addresses))


@pytest.mark.usefixtures("front")
def test_no_question_is_lost_while_names_change(host: Host) -> None:
    one = attach(host, "one", "front")
    for number in range(5):
        attach(host, f"more{number}", "front", alias="more")
        assert look_up(one, "one") == (NO_ERROR, set(one.addresses))


@pytest.mark.usefixtures("front")
@pytest.mark.parametrize("alias", ["two words", "line\nbreak", "#", "-x"])
def test_an_alias_that_is_no_name_is_refused(host: Host, alias: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name of a host"):
        attach(host, "one", "front", alias=alias)
