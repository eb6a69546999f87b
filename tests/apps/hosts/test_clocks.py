"""A host's clock may differ from the panel's by two minutes."""

import time

import pytest

from agents.protocol import keys
from agents.protocol.control import FollowLogs
from agents.protocol.envelope import Refusal, unseal
from agents.protocol.events import Heartbeat
from apps.hosts import pki
from apps.hosts.models import HostState
from apps.operations import inbox
from apps.operations.control import sealed_control
from tests import factories

SKEW = 110


@pytest.mark.parametrize("seconds", [-SKEW, SKEW])
def test_a_host_whose_clock_differs_is_heard(cast, authority, seconds):
    host = factories.make_host(cast.team, authority, state=HostState.OFFLINE)
    its_time = time.time() + seconds
    beat = Heartbeat(at=its_time, load=0, memory_used=0, disk_used=0)
    assert inbox.receive(host, factories.seal_event(host, beat, now=its_time, lifetime=86400))
    host.refresh_from_db()
    assert host.state == HostState.ONLINE


def test_a_heartbeat_from_long_ago_brings_no_host_back(cast, authority):
    host = factories.make_host(cast.team, authority, state=HostState.OFFLINE)
    beat = Heartbeat(at=time.time() - 600, load=0, memory_used=0, disk_used=0)
    inbox.receive(host, factories.seal_event(host, beat))
    host.refresh_from_db()
    assert host.state == HostState.OFFLINE


@pytest.mark.usefixtures("panel_pki")
@pytest.mark.parametrize("seconds", [-SKEW, SKEW])
def test_a_live_request_reaches_a_host_whose_clock_differs(seconds):
    sealed = sealed_control("a" * 32, FollowLogs(container_id="x"))
    assert opened(sealed, seconds).kind == "control"


@pytest.mark.usefixtures("panel_pki")
def test_an_old_live_request_is_refused():
    with pytest.raises(Refusal, match="expired"):
        opened(sealed_control("a" * 32, FollowLogs(container_id="x")), 150)


def opened(sealed: str, seconds: float):
    return unseal(
        sealed,
        key=pki.command_key().public_key(),
        kind="control",
        sender=keys.PANEL_RECIPIENT,
        recipient=keys.recipient("a" * 32),
        now=time.time() + seconds,
    )
