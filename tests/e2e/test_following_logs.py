"""Following the logs of real containers while all sorts of things break."""

import os
import re
import signal
import uuid

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import LogPage, ProjectPage
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow]

BOTH = """\
services:
  web:
    image: busybox
    stop_grace_period: 0s
    command: ["sh", "-c", "while true; do echo from web; sleep 1; done"]
  worker:
    image: busybox
    stop_grace_period: 0s
    command: ["sh", "-c", "while true; do echo from worker >&2; sleep 1; done"]
"""
# Counts as fast as ten lines in each tenth of a second, until COUNT.
COUNTING = """\
services:
  counter:
    image: busybox
    stop_grace_period: 0s
    command:
      - sh
      - -c
      - |
        n=0
        while [ $$n -lt COUNT ]; do
          for i in 1 2 3 4 5 6 7 8 9 10; do n=$$((n + 1)); echo "TOKEN $$n"; done
          usleep 100000
        done
        exec sleep 1000
"""


@pytest.fixture
def token() -> str:
    return uuid.uuid4().hex[:8]


def count(projects, token: str, upto: int) -> tuple[ProjectPage, LogPage]:
    """Deploy a service that counts, and follow it."""
    project = projects(COUNTING.replace("TOKEN", token).replace("COUNT", str(upto)))
    project.deploy()
    project.operation_ends("Succeeded")
    return project, project.open_log()


def assert_whole(log: LogPage, token: str, upto: int) -> None:
    """Wait for the last number; none before it is missing or doubled."""
    log.shows(re.compile(f"{token} {upto}$"), seconds=40)
    assert log.numbers(token) == list(range(1, upto + 1))


def test_lines_of_both_services_arrive_live(owner, projects) -> None:
    project = projects(BOTH)
    project.deploy()
    project.operation_ends("Succeeded")
    log = project.open_log()
    log.shows("from web")
    log.shows("from worker")
    before = len(log.lines())
    wait_until(lambda: len(log.lines()) >= before + 2, "more lines")
    assert log.services() == {"web", "worker"}
    assert not owner.troubles, "\n".join(owner.troubles)


def test_a_reload_loses_and_doubles_nothing(projects, token) -> None:
    project, log = count(projects, token, 300)
    log.shows(f"{token} 100")
    project.page.reload()
    assert_whole(log, token, 300)


def test_a_web_process_that_dies_loses_and_doubles_nothing(panel, projects, token) -> None:
    _, log = count(projects, token, 500)
    log.shows(f"{token} 50")
    os.kill(panel.pid("web"), signal.SIGKILL)
    assert_whole(log, token, 500)


def test_a_network_that_goes_away_loses_and_doubles_nothing(owner, projects, token) -> None:
    _, log = count(projects, token, 400)
    log.shows(f"{token} 50")
    owner.page.context.set_offline(True)
    expect(owner.page.locator("[data-part=status]")).not_to_have_text("Live")
    owner.page.context.set_offline(False)
    expect(owner.page.locator("[data-part=status]")).to_have_text("Live")
    assert_whole(log, token, 400)


def test_an_agent_that_is_killed_loses_and_doubles_nothing(panel, projects, token) -> None:
    project, log = count(projects, token, 700)
    log.shows(f"{token} 50")
    before = panel.pid("agent")
    os.kill(before, signal.SIGKILL)
    assert_whole(log, token, 700)
    assert panel.pid("agent") not in (0, before)
    assert list(project.runs()) == ["counter"]


def test_a_paused_view_holds_still_and_catches_up(projects, token) -> None:
    project, log = count(projects, token, 400)
    log.shows(f"{token} 50")
    follow = project.page.get_by_role("button", name="Follow")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "false")
    held = len(log.lines())
    expect(project.page.locator(".log-pill")).to_be_visible()
    assert len(log.lines()) <= held + 10
    follow.click()
    assert_whole(log, token, 400)
