"""What a file says of networks and of places on them, up to the engine's specs."""

import pytest

from agents.compose.errors import ComposeErrors
from agents.compose.load import load
from agents.compose.plan import ContainerAction
from agents.engines.specs import EndpointSpec
from agents.projects.resources import network_spec
from agents.projects.translate import container_spec

FILE = """
services:
  web:
    image: busybox
    networks:
      both: {ipv4_address: 10.77.0.5, ipv6_address: "fd77::5", gw_priority: 7}
networks:
  both:
    enable_ipv6: true
    driver_opts: {com.docker.network.driver.mtu: "1400"}
    ipam:
      config:
        - {subnet: 10.77.0.0/24, gateway: 10.77.0.1, ip_range: 10.77.0.128/25}
        - {subnet: "fd77::/64"}
  wire:
    driver: macvlan
    driver_opts: {parent: eth9}
"""


def test_a_network_of_both_families_arrives() -> None:
    project = load({"compose.yaml": FILE}, project_name="p")
    made = network_spec(project, project.networks["both"])
    assert (made.subnet, made.gateway, made.ip_range) == (
        "10.77.0.0/24",
        "10.77.0.1",
        "10.77.0.128/25",
    )
    assert (made.ipv6, made.subnet6) == (True, "fd77::/64")
    assert made.options == {"com.docker.network.driver.mtu": "1400"}


def test_a_place_on_it_arrives() -> None:
    project = load({"compose.yaml": FILE}, project_name="p")
    action = ContainerAction(kind="create", service="web", number=1, name="p-web-1")
    (place,) = container_spec(project, action, "sha256:0").endpoints
    assert isinstance(place, EndpointSpec)
    assert (place.ipv4_address, place.ipv6_address) == ("10.77.0.5", "fd77::5")
    assert place.gateway_priority == 7


def test_the_interface_of_a_macvlan_arrives() -> None:
    text = FILE.replace("networks:\n      both:", "networks:\n      wire: {}\n      both:")
    project = load({"compose.yaml": text}, project_name="p")
    made = network_spec(project, project.networks["wire"])
    assert (made.driver, made.parent, made.options) == ("macvlan", "eth9", {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('{subnet: "fd77::/64"}', "{subnet: 10.78.0.0/24}", "one subnet of each family"),
        ('{subnet: "fd77::/64"}', "", "no subnet of its own"),
        ("10.77.0.128/25", "10.78.0.0/25", "not a part of"),
        ("driver: macvlan", "driver: overlay", "not supported yet"),
        ('"fd77::5"', "10.77.0.6", "not an IPv6 address"),
    ],
)
def test_what_is_wrong_is_told(old: str, new: str, message: str) -> None:
    text = FILE.replace(f"- {old}" if not new else old, new)
    with pytest.raises(ComposeErrors) as caught:
        load({"compose.yaml": text}, project_name="p")
    assert message in str(caught.value)
