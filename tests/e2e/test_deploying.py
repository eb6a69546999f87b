"""Editing a compose file in the browser and deploying it."""

import uuid

import pytest

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
