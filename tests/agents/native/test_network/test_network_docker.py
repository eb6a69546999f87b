"""A real Docker Engine on the same host: it drops what others forward, and lets us through."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from agents.errors import NotSupportedError
from agents.linux import netlink, process
from benchmarks.docker.daemon import Daemon, docker
from tests.agents.native.test_network.network_lab import Container, Host

pytestmark = pytest.mark.root


class DockerHost(Host):
    """The network namespace of a dockerd, with our agent in it, too."""

    def enter(self, stack: ExitStack, path: Path) -> None:
        self.path = path
        self.stack = stack
        netlink.bring_loopback_up(path)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    try:
        with docker() as daemon, closing(daemon.api):
            yield daemon
    except NotSupportedError as exc:
        pytest.skip(exc.message)


def rules(host: Host) -> str:
    return host.run(lambda: process.run(["nft", "list", "ruleset"])).text()


def attach(host: Host, name: str, port: int) -> Container:
    container = host.container(name)
    wanted = container.request(
        endpoints=(EndpointSpec(network="front"),),
        ports=(PortSpec(container_port=80, host_port=port),),
    )
    container.held = host.networks.attach(wanted)
    container.serve(80, name)
    return container


def test_docker_and_our_networks_do_not_hinder_each_other(
    daemon: Daemon, stack: ExitStack, folder: Path
) -> None:
    host = DockerHost(stack, folder, Path(f"/proc/{daemon.pids[0]}/ns/net"))
    # What Docker does by itself on a host that did not forward before it came.
    host.run(lambda: process.run(["nft", "chain ip filter FORWARD { policy drop; }"]))
    neighbour = host.neighbour()
    neighbour.serve(90, "outside")
    taken = daemon.api.call("GET", "/networks/bench")["IPAM"]["Config"][0]["Subnet"]
    assert host.networks.create(NetworkSpec(name="front")).subnet != taken
    web = attach(host, "web", 8080)
    assert host.networks.warnings() == ()
    assert neighbour.ask("192.168.77.1", 8080) == "web 192.168.77.2"
    assert web.ask("192.168.77.2", 90) == "outside 192.168.77.1"
    daemon.api.call("POST", "/networks/create", {"Name": "another"})
    assert neighbour.ask("192.168.77.1", 8080).startswith("web")
    host.networks.detach(web.id)
    host.networks.remove("front")
    assert "webpanel" not in rules(host)
    assert "policy drop" in rules(host)
