"""A panel as the set-up leaves it. Its name has this file run before those that need an owner."""

import re
import secrets
import urllib.parse

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import ProjectPage
from tests.installed import Account, InstalledPanel
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow]


def test_the_printed_link_is_good_for_one_owner(installed_panel: InstalledPanel, visit) -> None:
    if installed_panel.account is not None:
        pytest.skip("Another test signed up before.")
    made = Account(name="owner", password=secrets.token_urlsafe(16))
    link = urllib.parse.urlsplit(installed_panel.link).path
    visitor = visit(installed_panel.address)
    visitor.open(link)
    page = visitor.page
    page.get_by_label("Name", exact=True).fill(made.name)
    page.get_by_label("Password", exact=True).fill(made.password)
    page.get_by_label("Password again").fill(made.password)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    installed_panel.account = made
    assert not visitor.troubles, "\n".join(visitor.troubles)
    assert visit(installed_panel.address).open(link).status == 410


def test_somebody_signs_in_with_name_and_password(panel: InstalledPanel, visit) -> None:
    account = panel.owner()
    visitor = visit(panel.address)
    visitor.open("/projects/")
    page = visitor.page
    page.get_by_label("Username").fill(account.name)
    page.get_by_label("Password").fill(account.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    assert not visitor.troubles, "\n".join(visitor.troubles)


def test_the_machine_of_the_panel_is_a_healthy_host(owner) -> None:
    owner.open("/")
    hosts = owner.page.locator(".stat", has_text="Hosts online")
    expect(hosts.locator(".stat-value")).to_have_text("1")
    owner.open("/hosts/")
    owner.page.get_by_role("table").get_by_role("link").first.click()
    expect(owner.page.locator("#content .badge").first).to_have_text("Online")
    expect(owner.page.locator(".alert")).to_have_count(0)
    assert not owner.troubles, "\n".join(owner.troubles)


def test_the_demo_project_runs_and_its_lines_arrive_live(owner) -> None:
    owner.open("/projects/")
    owner.page.get_by_role("link", name="demo", exact=True).click()
    owner.page.wait_for_url(re.compile("/projects/[0-9a-f]+/$"))
    path = urllib.parse.urlsplit(owner.page.url).path
    demo = ProjectPage(owner, path)
    assert set(demo.runs()) == {"web", "clock"}
    owner.page.get_by_role("link", name="Logs", exact=True).click()
    log = demo.open_log()
    log.shows(re.compile("web has answered"))
    before = len(log.lines())
    wait_until(lambda: len(log.lines()) > before + 2, "more lines")
    assert log.services() == {"web", "clock"}
    assert not owner.troubles, "\n".join(owner.troubles)
