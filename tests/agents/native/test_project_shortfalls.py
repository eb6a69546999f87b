"""An operation says what a service was not given, though it runs."""

from pathlib import Path

import pytest

from agents.projects.up import Up
from tests.agents.runtime.messages import deploy
from tests.agents.runtime.steps import Steps
from tests.native_engine import native_engine

pytestmark = pytest.mark.root

INSIDE = """\
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    ports: ["80"]
    ulimits: {cpu: -1}
networks:
  default: {internal: true}
"""


def test_a_port_that_is_not_published_is_told(tmp_path: Path) -> None:
    steps = Steps()
    with native_engine(tmp_path / "native") as engine:
        Up(engine, tmp_path, deploy(INSIDE), steps).run()
        (container,) = engine.list_containers()
        assert container.warnings
        for warning in container.warnings:
            assert f"Container demo-web-1: {warning}" in steps.texts
