"""Deploying again and again leaves no images behind without a name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.engines.fake import FakeEngine
from agents.errors import AgentError
from agents.projects.up import Up
from agents.protocol.records import ProjectFile
from tests.agents.runtime.messages import deploy, files
from tests.agents.runtime.steps import Steps

BUILT = "services:\n  app: {build: ./app, command: sleep 100, stop_grace_period: 0s}\n"
Build = Callable[..., object]


@pytest.fixture
def build(engine: FakeEngine, tmp_path: Path) -> Build:
    """Deploy a project of one image, whose content is a number."""

    def bring_up(number: int, text: str = BUILT, project: str = "demo") -> None:
        dockerfile = f'FROM busybox\nCMD ["sleep", "{number}"]\n'
        written = (*files(text), ProjectFile(path="app/Dockerfile", content=dockerfile))
        Up(engine, tmp_path, deploy(text, files=written, project=project), Steps()).run()

    return bring_up


def unnamed(engine: FakeEngine) -> list[str]:
    return [one.id for one in engine.list_images() if not one.references]


def test_the_image_of_before_goes_with_its_containers(build: Build, engine: FakeEngine):
    for number in (100, 200, 300):
        build(number)
    assert unnamed(engine) == []
    assert len(engine.list_images()) == 2


def test_an_image_that_another_container_uses_stays(build: Build, engine: FakeEngine):
    build(100)
    first = engine.list_containers()[0]
    build(100, project="other")
    engine.tag_image(first.image_id, "kept")
    build(200)
    assert engine.find_image("kept").id == first.image_id


def test_a_failed_deployment_takes_nothing(build: Build, engine: FakeEngine):
    build(100)
    before = engine.list_containers()[0]
    with pytest.raises(AgentError):
        build(200, BUILT + "  other: {image: nowhere}\n")
    assert engine.find_container(before.id).image_id == before.image_id
    build(300)
    assert before.image_id not in {one.id for one in engine.list_images()}
