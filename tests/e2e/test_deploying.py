"""Editing a compose file in the browser and deploying it."""

import socket
import uuid

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow]

PAIR = """\
services:
  talker:
    stop_grace_period: 0s
    image: busybox
    command: ["sh", "-c", "echo talker says TOKEN; exec sleep 1000"]
  quiet:
    stop_grace_period: 0s
    image: busybox
    command: ["sleep", "1000"]
"""


@pytest.fixture
def token() -> str:
    return uuid.uuid4().hex[:8]


def test_a_changed_service_is_replaced_and_the_other_left_alone(owner, projects, token) -> None:
    project = projects(PAIR.replace("TOKEN", "first"))
    project.deploy()
    project.operation_ends("Succeeded")
    before = project.runs()
    project.deploy(PAIR.replace("TOKEN", token))
    output = project.operation_ends("Succeeded")
    assert "talker" in output
    after = project.runs()
    assert after["talker"] != before["talker"]
    assert after["quiet"] == before["quiet"]
    project.open_log().shows(f"talker says {token}")
    assert not owner.troubles, "\n".join(owner.troubles)


def test_what_does_not_validate_is_shown_with_file_line_and_field_and_nothing_is_sent(
    owner, projects
) -> None:
    project = projects(PAIR)
    project.deploy()
    project.operation_ends("Succeeded")
    before = project.runs()
    project.edit(PAIR.replace('command: ["sleep", "1000"]', "comand: [sleep]"))
    (problem,) = project.problems()
    assert "compose.yml:9" in problem
    assert "services.quiet.comand" in problem
    project.page.get_by_role("button", name="Deploy", exact=True).click()
    refusal = project.page.get_by_role("alert").filter(has_text="compose.yml:9")
    expect(refusal).to_contain_text("services.quiet.comand")
    project.open("deployments/")
    expect(project.page.get_by_role("row", name="Deploy e2e-")).to_have_count(1)
    assert project.runs() == before


FAILURES = {
    "an image that is nowhere": ("image: busybox", "image: no-such-image:1", "no-such-image:1"),
    "a port in use": ("quiet:", 'quiet:\n    ports: ["PORT:80"]', "PORT"),
    "a volume path that is not there": (
        "quiet:",
        "quiet:\n    volumes:\n      - type: bind\n        source: /no/such/path\n"
        "        target: /data\n        bind: {create_host_path: false}",
        "/no/such/path",
    ),
    "a program that is not in the image": ('["sleep", "1000"]', '["no-such-program"]', "no-such-p"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_deployment_that_fails_says_why_and_leaves_what_ran(owner, projects, what) -> None:
    project = projects(PAIR)
    project.deploy()
    project.operation_ends("Succeeded")
    before = project.runs()
    old, new, named = FAILURES[what]
    head, service = PAIR.split("  quiet:")
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        changed = f"{head}{f'  quiet:{service}'.replace(old, new).replace('PORT', port)}"
        project.deploy(changed)
        project.operation_ends("Failed")
    error = project.page.locator("operation-output").get_by_role("alert")
    expect(error).to_contain_text(named.replace("PORT", port))
    project.open()
    expect(project.page.get_by_text("The last deployment failed")).to_be_visible()
    assert project.runs() == before
