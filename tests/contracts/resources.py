"""Contract: images, volumes, networks."""

from contextlib import closing
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, create_connection, socket

import pytest

from agents.engines.specs import (
    EndpointSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    VolumeSpec,
)
from agents.errors import ConflictError, InvalidInputError, NotFoundError
from tests.contracts.bench import Bench, unique
from tests.waiting import wait_until


class ImageContract:
    def test_an_imported_image_is_found_and_runs(self, bench: Bench) -> None:
        name = f"{unique('image')}:1"
        made = bench.engine.import_image(bench.archive, name)
        assert name in made.references
        assert bench.engine.find_image(name).id == made.id
        assert made.id in {one.id for one in bench.engine.list_images()}
        assert bench.lines(bench.run_to_end("echo hi", image=name).id) == ["hi"]

    def test_a_missing_image_is_not_found(self, bench: Bench) -> None:
        with pytest.raises(NotFoundError, match="nowhere"):
            bench.engine.find_image("nowhere:1")

    def test_a_missing_archive_is_told(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError):
            bench.engine.import_image(tmp_path / "none.tar", "x:1")

    def test_one_image_is_removed_and_the_other_stays(self, bench: Bench) -> None:
        one, other = f"{unique('a')}:1", f"{unique('b')}:1"
        bench.engine.import_image(bench.archive, one)
        kept = bench.engine.import_image(bench.archive, other)
        bench.engine.remove_image(one)
        with pytest.raises(NotFoundError):
            bench.engine.find_image(one)
        assert bench.engine.find_image(other).id == kept.id

    def test_removing_a_missing_image_is_an_error(self, bench: Bench) -> None:
        with pytest.raises(NotFoundError):
            bench.engine.remove_image("nowhere:1")

    def test_an_image_in_use_stays(self, bench: Bench) -> None:
        image = bench.engine.find_image(bench.image)
        bench.create()
        with pytest.raises(ConflictError):
            bench.engine.remove_image(image.id)
        assert bench.engine.find_image(bench.image).id == image.id


class VolumeContract:
    def test_a_volume_is_made_once_and_removed_twice(self, bench: Bench) -> None:
        spec = VolumeSpec(name=unique("v"), labels={"a": unique("m")})
        first = bench.engine.create_volume(spec)
        assert bench.engine.create_volume(spec) == first
        assert bench.engine.list_volumes(spec.labels) == (first,)
        bench.engine.remove_volume(spec.name)
        bench.engine.remove_volume(spec.name)
        assert bench.engine.list_volumes(spec.labels) == ()

    def test_a_volume_in_use_stays(self, bench: Bench) -> None:
        name = unique("v")
        bench.engine.create_volume(VolumeSpec(name=name))
        bench.create(mounts=(MountSpec(kind="volume", source=name, target="/data"),))
        with pytest.raises(ConflictError, match=name):
            bench.engine.remove_volume(name)

    def test_a_bad_name_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InvalidInputError):
            bench.engine.create_volume(VolumeSpec(name="../up"))

    def test_an_anonymous_volume_goes_with_its_container(self, bench: Bench) -> None:
        before = bench.engine.list_volumes()
        made = bench.create(mounts=(MountSpec(kind="volume", target="/data"),))
        assert len(bench.engine.list_volumes()) == len(before) + 1
        bench.engine.remove_container(made.id)
        assert bench.engine.list_volumes() == before

    def test_a_named_volume_outlives_its_container(self, bench: Bench) -> None:
        mount = MountSpec(kind="volume", source=unique("v"), target="/data")
        bench.engine.remove_container(bench.create(mounts=(mount,)).id)
        assert mount.source in {one.name for one in bench.engine.list_volumes()}


class NetworkContract:
    def test_a_network_is_made_once_and_removed_twice(self, bench: Bench) -> None:
        spec = NetworkSpec(name=unique("n"), labels={"a": unique("m")})
        first = bench.engine.create_network(spec)
        assert bench.engine.create_network(spec) == first
        assert bench.engine.list_networks(spec.labels) == (first,)
        bench.engine.remove_network(spec.name)
        bench.engine.remove_network(spec.name)
        assert bench.engine.list_networks(spec.labels) == ()

    def test_a_network_with_another_spec_is_refused(self, bench: Bench) -> None:
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        with pytest.raises(ConflictError, match=name):
            bench.engine.create_network(NetworkSpec(name=name, internal=True))

    def test_networks_have_subnets_of_their_own(self, bench: Bench) -> None:
        one = bench.engine.create_network(NetworkSpec(name=unique("n")))
        other = bench.engine.create_network(NetworkSpec(name=unique("n")))
        assert one.subnet
        assert one.subnet != other.subnet

    def test_a_network_in_use_stays(self, bench: Bench) -> None:
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        container = bench.create(endpoints=(EndpointSpec(network=name),))
        with pytest.raises(ConflictError, match=name):
            bench.engine.remove_network(name)
        bench.engine.remove_container(container.id)
        bench.engine.remove_network(name)

    def test_a_running_container_tells_its_address(self, bench: Bench) -> None:
        name = unique("n")
        network = bench.engine.create_network(NetworkSpec(name=name))
        endpoint = bench.run(endpoints=(EndpointSpec(network=name),)).endpoints[0]
        assert endpoint.network == name
        assert endpoint.ipv4_address.rpartition(".")[0] == network.gateway.rpartition(".")[0]

    def test_a_taken_port_is_refused_and_the_container_is_as_before(self, bench: Bench) -> None:
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        with closing(socket(AF_INET, SOCK_STREAM)) as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = PortSpec(container_port=80, host_port=holder.getsockname()[1])
            made = bench.create(endpoints=(EndpointSpec(network=name),), ports=(port,))
            with pytest.raises(ConflictError, match=str(port.host_port)):
                bench.engine.start_container(made.id)
        assert bench.engine.find_container(made.id).state == "created"
        assert bench.engine.start_container(made.id).ports[0].host_port == port.host_port

    def test_two_containers_cannot_publish_one_port(self, bench: Bench) -> None:
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        on_network = (EndpointSpec(network=name),)
        first = bench.run(endpoints=on_network, ports=(PortSpec(container_port=80),))
        port = PortSpec(container_port=80, host_port=first.ports[0].host_port)
        second = bench.create(endpoints=on_network, ports=(port,))
        with pytest.raises(ConflictError, match=str(port.host_port)):
            bench.engine.start_container(second.id)
        bench.engine.stop_container(first.id)
        assert bench.engine.start_container(second.id).state == "running"

    def test_a_port_is_checked_without_being_taken(self, bench: Bench) -> None:
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        on_network = (EndpointSpec(network=name),)
        first = bench.run(endpoints=on_network, ports=(PortSpec(container_port=80),))
        port = PortSpec(container_port=80, host_port=first.ports[0].host_port)
        with pytest.raises(ConflictError, match=str(port.host_port)):
            bench.engine.check_ports((port,))
        bench.engine.check_ports((port,), without=(first.id,))
        assert bench.engine.find_container(first.id).ports == first.ports


class TrafficContract:
    """Needs an engine whose containers are real programs."""

    def test_containers_reach_each_other_by_name(self, bench: Bench) -> None:
        bench.need("published_ports")
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        web = EndpointSpec(network=name, aliases=("web",))
        server = bench.run("echo hello | nc -l -p 8080", endpoints=(web,))
        asking = "until nc web 8080 </dev/null; do sleep 0.05; done"
        client = bench.run_to_end(asking, endpoints=(EndpointSpec(network=name),))
        assert "hello" in bench.lines(client.id)
        assert bench.engine.wait_container(server.id, timeout=10.0) == 0

    def test_a_renamed_container_is_reached_by_its_new_name(self, bench: Bench) -> None:
        bench.need("published_ports")
        network, name = unique("n"), unique("new")
        bench.engine.create_network(NetworkSpec(name=network))
        on_network = (EndpointSpec(network=network),)
        server = bench.run(endpoints=on_network)
        bench.engine.rename_container(server.id, name)
        asking = f"nslookup {name} | grep -c {server.endpoints[0].ipv4_address}; nslookup {{}}"
        client = bench.run_to_end(asking.format(server.name), endpoints=on_network)
        assert bench.lines(client.id)[0] == "1"
        assert client.exit_code != 0

    def test_a_published_port_is_reachable(self, bench: Bench) -> None:
        bench.need("published_ports")
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        container = bench.run(
            "while :; do echo hello | nc -l -p 80; done",
            endpoints=(EndpointSpec(network=name),),
            ports=(PortSpec(container_port=80),),
        )
        port = container.ports[0].host_port

        def answers() -> bool:
            try:
                with create_connection(("127.0.0.1", port), timeout=1) as connection:
                    return connection.recv(100) == b"hello\n"
            except OSError:
                return False

        wait_until(answers, "the published port to answer")
