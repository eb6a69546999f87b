"""Acting on a project from its pages: stop, start, restart, remove; cancel and retry."""

import contextlib
import socket
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow]

ONE = """\
services:
  one:
    image: busybox
    stop_grace_period: 0s
    command: ["sleep", "1000"]
"""
SLOW_BUILD = """\
services:
  one:
    stop_grace_period: 0s
    build: .
"""
DOCKERFILE = """\
FROM busybox
RUN echo the build began; sleep 600; : TOKEN
"""
# The container's own folder counts how often it was started.
COUNTS_STARTS = """\
services:
  one:
    image: busybox
    stop_grace_period: 0s
    command: ["sh", "-c", "echo x >> /starts; echo start $$(wc -l < /starts); exec sleep 1000"]
"""


def processes_with(word: str) -> list[str]:
    """Return the command lines on this machine that hold a word."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines.append(path.read_bytes().decode(errors="replace"))
    return [line for line in lines if word in line]


def deployed(projects, text: str):
    project = projects(text)
    project.deploy()
    project.operation_ends("Succeeded")
    return project


def test_a_project_is_stopped_and_started(projects) -> None:
    project = deployed(projects, ONE)
    before = project.runs()
    project.press("Stop")
    project.operation_ends("Succeeded")
    project.shows_state("Stopped")
    project.press("Start")
    project.operation_ends("Succeeded")
    assert project.runs() == before


def test_a_project_is_restarted_in_the_same_container(projects) -> None:
    project = deployed(projects, COUNTS_STARTS)
    before = project.runs()
    project.press("Restart")
    project.operation_ends("Succeeded")
    assert project.runs() == before
    project.open_log().shows("start 2")


def test_one_service_is_stopped_and_started(projects) -> None:
    project = deployed(projects, ONE.replace("  one:", "  other:") + ONE.split("services:\n")[1])
    project.runs()
    project.page.get_by_role("button", name="Stop one", exact=True).click()
    project.operation_ends("Succeeded")
    project.shows_state("Partly running")
    project.page.get_by_role("button", name="Start one", exact=True).click()
    project.operation_ends("Succeeded")
    assert set(project.runs()) == {"one", "other"}


def test_a_project_is_removed_once_its_name_was_typed(projects, client) -> None:
    project = deployed(projects, ONE)
    project.runs()
    name = project.page.locator("h1").inner_text()
    project.page.get_by_role("button", name="Remove the project").click()
    dialog = project.page.get_by_role("dialog")
    remove = dialog.get_by_role("button", name="Remove", exact=True)
    expect(remove).to_be_disabled()
    dialog.get_by_role("textbox").fill(name)
    remove.click()
    wait_until(lambda: client.get(project.path).status == 404, "the project to be gone", 30)
    assert name not in client.get("/projects/").text


def test_a_build_that_hangs_is_cancelled_and_nothing_is_left(projects) -> None:
    project = projects(SLOW_BUILD)
    token = uuid.uuid4().hex
    project.add_file("Dockerfile", DOCKERFILE.replace("TOKEN", token))
    project.deploy()
    expect(project.page.locator("operation-output")).to_contain_text("the build began")
    project.page.locator("#operation").get_by_role("link", name="Open").click()
    project.page.get_by_role("button", name="Cancel").click()
    project.operation_ends("Cancelled")
    project.open()
    assert project.containers() == {}
    assert not processes_with(token)


def test_a_failed_deployment_is_tried_again(projects) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        project = projects(f'{ONE}    ports: ["{taken.getsockname()[1]}:80"]\n')
        project.deploy()
        project.operation_ends("Failed")
    project.page.locator("#operation").get_by_role("link", name="Open").click()
    failed = project.page.url
    project.page.get_by_role("button", name="Retry").click()
    expect(project.page).not_to_have_url(failed)
    project.operation_ends("Succeeded")
    project.runs()
