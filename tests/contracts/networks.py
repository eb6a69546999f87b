"""Contract: networks in all their kinds, and containers that move between them."""

from pathlib import Path
from socket import AF_INET6, SOCK_STREAM, create_connection, socket

import pytest

from agents.engines.abilities.networks import ConnectsNetworks
from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from agents.errors import AgentError, ConflictError, InvalidInputError, NotFoundError
from agents.protocol.records import ContainerRecord
from tests.contracts.bench import OBEDIENT, Bench, unique
from tests.waiting import wait_until

WEB = "while :; do echo hello | nc -l -p 80; done"


class PluggingContract:
    @pytest.fixture
    def plugs(self, bench: Bench) -> ConnectsNetworks:
        if not isinstance(bench.engine, ConnectsNetworks):
            pytest.skip(f"the {bench.engine.name} engine does not move containers")
        return bench.engine

    def test_a_running_container_joins_and_leaves(
        self, bench: Bench, plugs: ConnectsNetworks
    ) -> None:
        bench.need("published_ports")
        front, back = _network(bench), _network(bench)
        web = bench.run(WEB, endpoints=(EndpointSpec(network=front),))
        joined = plugs.connect_network(web.id, EndpointSpec(network=back, aliases=("joined",)))
        assert [one.network for one in joined.endpoints] == [front, back]
        assert "hello" in bench.lines(_run_client(bench, back, "nc joined 80 </dev/null").id)
        left = plugs.disconnect_network(web.id, back)
        assert [one.network for one in left.endpoints] == [front]
        assert _run_client(bench, back, "nslookup joined").exit_code != 0

    def test_a_stopped_container_is_on_its_networks_at_its_next_start(
        self, bench: Bench, plugs: ConnectsNetworks
    ) -> None:
        front, back = _network(bench), _network(bench)
        made = bench.create(OBEDIENT, endpoints=(EndpointSpec(network=front),))
        plugs.connect_network(made.id, EndpointSpec(network=back))
        plugs.disconnect_network(made.id, front)
        started = bench.engine.start_container(made.id)
        assert [one.network for one in started.endpoints] == [back]
        with pytest.raises(ConflictError, match=back):
            bench.engine.remove_network(back)
        bench.engine.remove_network(front)

    def test_joining_and_leaving_twice_succeed(self, bench: Bench, plugs: ConnectsNetworks) -> None:
        front, back = _network(bench), _network(bench)
        made = bench.run(endpoints=(EndpointSpec(network=front),))
        spec = EndpointSpec(network=back)
        first = plugs.connect_network(made.id, spec).endpoints
        assert plugs.connect_network(made.id, spec).endpoints == first
        plugs.disconnect_network(made.id, back)
        assert len(plugs.disconnect_network(made.id, back).endpoints) == 1

    def test_what_is_not_there_is_told(self, bench: Bench, plugs: ConnectsNetworks) -> None:
        front = _network(bench)
        made = bench.create(endpoints=(EndpointSpec(network=front),))
        with pytest.raises(NotFoundError):
            plugs.connect_network(made.id, EndpointSpec(network="nonet"))
        with pytest.raises(NotFoundError):
            plugs.connect_network(unique("none"), EndpointSpec(network=front))

    def test_a_container_without_a_network_of_its_own_joins_none(
        self, bench: Bench, plugs: ConnectsNetworks
    ) -> None:
        made = bench.create(network_mode="none")
        with pytest.raises(ConflictError):
            plugs.connect_network(made.id, EndpointSpec(network=_network(bench)))

    def test_unused_networks_are_pruned(self, bench: Bench, plugs: ConnectsNetworks) -> None:
        used, unused = _network(bench), _network(bench)
        bench.create(endpoints=(EndpointSpec(network=used),))
        removed = plugs.prune_networks()
        assert unused in removed
        assert used not in removed
        assert plugs.find_network(used).name == used


class NetworkKindContract:
    def test_a_user_chosen_subnet_is_taken_once(self, bench: Bench) -> None:
        spec = NetworkSpec(name=unique("n"), subnet="10.213.7.0/24", gateway="10.213.7.9")
        record = bench.engine.create_network(spec)
        assert (record.subnet, record.gateway) == (spec.subnet, spec.gateway)
        bench.need("published_ports")
        with pytest.raises(ConflictError):
            bench.engine.create_network(NetworkSpec(name=unique("n"), subnet="10.213.0.0/16"))

    def test_a_container_has_the_address_it_asked_for(self, bench: Bench) -> None:
        bench.need("published_ports")
        name = _network(bench, subnet="10.213.7.0/24")
        asked = EndpointSpec(network=name, ipv4_address="10.213.7.77")
        seen = bench.run_to_end("ip addr show", endpoints=(asked,))
        assert any("10.213.7.77/24" in line for line in bench.lines(seen.id))
        with pytest.raises(AgentError):
            bench.run(endpoints=(EndpointSpec(network=name, ipv4_address="10.99.0.1"),))

    def test_an_internal_network_leads_nowhere(self, bench: Bench) -> None:
        bench.need("published_ports")
        name = _network(bench, internal=True)
        seen = bench.run_to_end("ip route", endpoints=(EndpointSpec(network=name),))
        assert not any(line.startswith("default") for line in bench.lines(seen.id))

    def test_ports_are_not_published_from_an_internal_network_and_that_is_told(
        self, bench: Bench
    ) -> None:
        bench.need("published_ports")
        inside, ports = _network(bench, internal=True), (PortSpec(container_port=80),)
        web = bench.run(WEB, endpoints=(EndpointSpec(network=inside),), ports=ports)
        assert web.ports == ()
        assert any("port" in one for one in web.warnings)

    def test_the_mode_host_is_the_hosts_network_and_none_is_no_network(self, bench: Bench) -> None:
        bench.need("published_ports")
        own = bench.run_to_end("readlink /proc/self/ns/net", network_mode="host")
        host = str(Path("/proc/self/ns/net").readlink())
        assert bench.lines(own.id) == [host]
        alone = bench.run_to_end("ls /sys/class/net", network_mode="none")
        assert bench.lines(alone.id) == ["lo"]

    def test_a_container_shares_the_network_of_another(self, bench: Bench) -> None:
        bench.need("published_ports")
        web = bench.run(WEB, endpoints=(EndpointSpec(network=_network(bench)),))
        asking = "until nc 127.0.0.1 80 </dev/null; do sleep 0.05; done"
        beside = bench.run_to_end(asking, network_mode=f"container:{web.name}")
        assert "hello" in bench.lines(beside.id)
        port = PortSpec(container_port=80)
        with pytest.raises(InvalidInputError):
            bench.create(network_mode=f"container:{web.name}", ports=(port,))
        with pytest.raises(InvalidInputError):
            bench.create(network_mode=f"container:{web.name}", hostname="other")

    def test_one_that_shares_the_network_of_a_stopped_one_does_not_start(
        self, bench: Bench
    ) -> None:
        bench.need("published_ports")
        web = bench.create(endpoints=(EndpointSpec(network=_network(bench)),))
        made = bench.create(network_mode=f"container:{web.name}")
        with pytest.raises(ConflictError, match=web.name):
            bench.engine.start_container(made.id)

    def test_a_range_of_ports_gives_a_free_one(self, bench: Bench) -> None:
        bench.need("published_ports")
        on_network = (EndpointSpec(network=_network(bench)),)
        first = bench.run(endpoints=on_network, ports=(PortSpec(container_port=80),))
        number = first.ports[0].host_port
        wanted = PortSpec(container_port=80, host_port=number, host_port_end=number + 20)
        second = bench.run(endpoints=on_network, ports=(wanted,))
        assert number < second.ports[0].host_port <= number + 20


class Ipv6Contract:
    def test_containers_find_and_reach_each_other(self, bench: Bench) -> None:
        _need_ipv6(bench)
        name = _network(bench, ipv6=True)
        web = bench.run(endpoints=(EndpointSpec(network=name),))
        address = web.endpoints[0].ipv6_address
        assert address
        asking = f"nslookup {web.name} | grep -c {address}"
        assert bench.lines(_run_client(bench, name, asking).id) == ["1"]
        pinging = f"ping -6 -c 1 -W 2 {address} >/dev/null && echo reached"
        assert bench.lines(_run_client(bench, name, pinging).id) == ["reached"]

    def test_a_port_is_published_on_both_families(self, bench: Bench) -> None:
        _need_ipv6(bench)
        name = _network(bench, ipv6=True)
        on_network = (EndpointSpec(network=name),)
        web = bench.run(WEB, endpoints=on_network, ports=(PortSpec(container_port=80),))
        assert {port.host_ip for port in web.ports} == {"0.0.0.0", "::"}
        assert len({port.host_port for port in web.ports}) == 1
        wait_until(lambda: _answers("127.0.0.1", web), "the published port to answer")


def _network(bench: Bench, **fields: object) -> str:
    return bench.engine.create_network(NetworkSpec(name=unique("n"), **fields)).name


def _run_client(bench: Bench, network: str, script: str) -> ContainerRecord:
    return bench.run_to_end(script, endpoints=(EndpointSpec(network=network),))


def _need_ipv6(bench: Bench) -> None:
    bench.need("published_ports")
    try:
        socket(AF_INET6, SOCK_STREAM).close()
    except OSError as exc:
        pytest.skip(f"this kernel has no IPv6: {exc}")


def _answers(address: str, container: ContainerRecord) -> bool:
    try:
        port = container.ports[0].host_port
        with create_connection((address, port), timeout=1) as connection:
            return connection.recv(100) == b"hello\n"
    except OSError:
        return False
