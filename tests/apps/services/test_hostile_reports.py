"""Whatever a host reports of itself, its team's pages open."""

import time

import pytest

from agents.protocol.events import ContainerChanged, Heartbeat, HostReport
from agents.protocol.records import HostFacts
from apps.core.events import dispatch
from apps.services.models import Container
from tests.observed import make_record

SCRIPT = "<script>alert(1)</script>"


def facts(**changes) -> HostFacts:
    given = {
        "hostname": SCRIPT,
        "os": SCRIPT,
        "kernel": SCRIPT,
        "architecture": SCRIPT,
        "cpus": 0,
        "memory": -1,
        "disk": 1,
        "cgroups": "v2",
        "agent_version": SCRIPT,
        "protocol_version": 1,
        "booted_at": 1e300,
        "addresses": (SCRIPT,),
        "warnings": (SCRIPT,),
        **changes,
    }
    return HostFacts(**given)


def open_pages(cast, *addresses: str) -> None:
    for address in addresses:
        page = cast.client(cast.viewer).get(address)
        assert page.status_code == 200
        assert SCRIPT not in page.text


@pytest.mark.parametrize("changes", [{}, {"cpus": 1, "booted_at": -1e300, "disk": 2**62}])
def test_absurd_facts_break_no_page(cast, changes):
    dispatch(cast.host, HostReport(at=1.0, facts=facts(**changes)))
    beat = Heartbeat(at=time.time(), load=1e308, memory_used=-5, disk_used=2**60)
    dispatch(cast.host, beat)
    open_pages(cast, "/", "/hosts/", f"/hosts/{cast.host.uid}/")


@pytest.mark.parametrize("started_at", [1e300, -1e300])
def test_an_absurd_container_breaks_no_page(cast, started_at):
    record = make_record(
        name=SCRIPT,
        image=SCRIPT,
        error=SCRIPT,
        command=(SCRIPT,),
        labels={SCRIPT: SCRIPT},
        started_at=started_at,
    )
    dispatch(cast.host, ContainerChanged(at=1.0, container=record))
    open_pages(cast, "/", f"/hosts/{cast.host.uid}/", f"/containers/{cast.host.uid}/{record.id}/")


@pytest.mark.parametrize("container_id", ["", "a/b", "../x", "a b", "x" * 129])
def test_a_container_that_has_no_address_is_left_out(cast, container_id):
    record = make_record(id=container_id)
    dispatch(cast.host, ContainerChanged(at=1.0, container=record))
    assert not Container.objects.exists()
