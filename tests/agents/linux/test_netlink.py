import uuid
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from agents.errors import KernelError
from agents.linux import namespaces, netlink
from agents.linux.netlink import Cable, Interface

pytestmark = pytest.mark.root

GATEWAY = IPv4Interface("10.66.0.1/24")
MAC = "02:57:0a:42:00:01"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Path]:
    yield from namespace(tmp_path / "host")


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Path]:
    yield from namespace(tmp_path / "inside")


def namespace(path: Path) -> Iterator[Path]:
    namespaces.create_network_namespace(path)
    yield path
    namespaces.remove_network_namespace(path)


def make_bridge(host: Path) -> bool:
    return namespaces.run_inside(host, lambda: netlink.create_bridge("br0", (GATEWAY,), MAC))


def cable(**changes: object) -> Cable:
    fields = {
        "host_name": f"v{uuid.uuid4().hex[:8]}",
        "bridge": "br0",
        "name": "eth0",
        "mac_address": "02:57:0a:42:00:02",
        "addresses": (IPv4Interface("10.66.0.2/24"),),
        "gateways": (GATEWAY.ip,),
    }
    return Cable(**(fields | changes))


def plug(host: Path, one: Cable, inside: Path) -> None:
    namespaces.run_inside(host, lambda: netlink.connect(one, inside))


def addresses(path: Path) -> set[Interface]:
    return {one.address for one in namespaces.run_inside(path, netlink.list_addresses)}


def names(path: Path) -> set[str]:
    return {link.name for link in namespaces.run_inside(path, netlink.list_links)}


def test_a_bridge_is_made_once_and_is_up(host: Path) -> None:
    assert make_bridge(host)
    assert not make_bridge(host)
    link = namespaces.run_inside(host, lambda: netlink.find_link("br0"))
    assert link is not None
    assert (link.kind, link.mac_address, link.is_up) == ("bridge", MAC, True)
    assert GATEWAY in addresses(host)


def test_a_cable_brings_address_and_route(host: Path, inside: Path) -> None:
    make_bridge(host)
    plug(host, cable(), inside)
    assert names(inside) == {"lo", "eth0"}
    assert IPv4Interface("10.66.0.2/24") in addresses(inside)
    routes = namespaces.run_inside(inside, netlink.list_routes)
    assert {one.network for one in routes if one.table == 254} == {IPv4Network("10.66.0.0/24")}


def test_plugging_in_again_replaces_the_cable(host: Path, inside: Path) -> None:
    make_bridge(host)
    one = cable()
    plug(host, one, inside)
    plug(host, one, inside)
    assert names(host) == {"lo", "br0", one.host_name}


def test_a_cable_that_cannot_be_configured_is_taken_away(host: Path, inside: Path) -> None:
    make_bridge(host)
    with pytest.raises(KernelError, match="configure the interface eth0"):
        plug(host, cable(gateways=(IPv4Address("192.0.2.1"),)), inside)
    assert names(host) == {"lo", "br0"}


def test_a_missing_bridge_is_named(host: Path, inside: Path) -> None:
    with pytest.raises(KernelError, match="connect to the bridge br0: No such device"):
        plug(host, cable(), inside)


def test_removing_a_link_twice_succeeds(host: Path) -> None:
    make_bridge(host)
    namespaces.run_inside(host, lambda: netlink.delete_link("br0"))
    namespaces.run_inside(host, lambda: netlink.delete_link("br0"))
    assert names(host) == {"lo"}
