"""What a viewer and a stranger see: the panel's own checks, once in a real browser."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.e2e.people import Visitor
from tests.installed import InstalledPanel
from tests.panel_client import PanelClient

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow]

IDLE = """\
services:
  idle:
    image: busybox
    stop_grace_period: 0s
    command: ["sleep", "1000"]
"""


@pytest.fixture
def invite(panel: InstalledPanel, client: PanelClient, visit):
    """Make a person of a role, signed in: ``invite(role)``."""

    def come_in(role: str) -> Visitor:
        page = client.post("/team/invite/", {"role": role, "note": "e2e"})
        found = re.search(r"/join/\w+/", page.text)
        assert found, page.text
        guest = PanelClient(panel.address)
        arrived = guest.accept(found.group(), f"guest-{secrets.token_hex(4)}", secrets.token_hex(9))
        assert arrived.address == f"{panel.address}/"
        return visit(panel.address, guest.browser_cookies())

    return come_in


def test_a_viewer_looks_and_cannot_act(projects, invite) -> None:
    project = projects(IDLE)
    project.deploy()
    project.operation_ends("Succeeded")
    viewer = invite("viewer")
    assert viewer.open(project.path).status == 200
    expect(viewer.page.get_by_role("link", name="Files")).to_be_visible()
    acts = re.compile("^(Deploy|Stop|Start|Restart|Remove|Save)")
    for tab in ("", "files/", "deployments/", "logs/"):
        viewer.open(f"{project.path}{tab}")
        expect(viewer.page.get_by_role("button", name=acts)).to_have_count(0)
    token = {"X-CSRFToken": viewer.csrf_token()}
    asked = viewer.page.request.post(f"{project.path}act/stop/", headers=token)
    assert asked.status in (403, 404)
    assert project.runs()


def test_whoever_left_the_team_finds_nothing(projects, invite, client: PanelClient) -> None:
    project = projects(IDLE)
    stranger = invite("member")
    assert stranger.open(project.path).status == 200
    removals = re.findall(r"/team/members/\d+/remove/", client.get("/team/").text)
    client.post(removals[-1], {})
    assert stranger.open(project.path).status == 404
    assert project.path not in stranger.open("/projects/").text()


def test_nobody_is_sent_to_sign_in(projects, visit, panel: InstalledPanel) -> None:
    project = projects(IDLE)
    stranger = visit(panel.address)
    stranger.open(project.path)
    expect(stranger.page.get_by_role("button", name="Sign in")).to_be_visible()
    assert "/accounts/login/" in stranger.page.url
