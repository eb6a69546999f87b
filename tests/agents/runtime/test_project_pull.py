"""``up`` pulls what is missing, as each service's policy says."""

from pathlib import Path

import pytest

from agents.engines.fake import FakeEngine
from agents.errors import CancelledError, NotFoundError
from agents.projects.up import Up
from tests.agents.runtime.messages import FOREVER, deploy
from tests.agents.runtime.steps import Steps

NAME = "registry.example/app:1"


def service(policy: str = "") -> str:
    line = f"    pull_policy: {policy}\n" if policy else ""
    return f"services:\n  web:\n    image: {NAME}\n{line}    command: {FOREVER}\n"


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def remote(engine: FakeEngine) -> FakeEngine:
    """An engine whose registry has the image that it has not."""
    engine.tag_image("busybox", NAME)
    engine.push_image(NAME)
    engine.remove_image(NAME)
    return engine


def bring(engine: FakeEngine, folder: Path, steps: Steps, text: str) -> str:
    return Up(engine, folder, deploy(text), steps).run()


def pulls(steps: Steps) -> int:
    return steps.texts.count(f"Pull {NAME}")


def test_a_missing_image_is_pulled_and_that_is_told(
    remote: FakeEngine, tmp_path: Path, steps: Steps
) -> None:
    assert bring(remote, tmp_path, steps, service()) == "1 created"
    assert pulls(steps) == 1
    assert any(text.endswith(": done") for text in steps.texts)
    assert steps.progress[0][1] > 0


def test_an_image_that_is_here_is_not_pulled(
    remote: FakeEngine, tmp_path: Path, steps: Steps
) -> None:
    remote.pull_image(NAME)
    bring(remote, tmp_path, steps, service())
    assert pulls(steps) == 0


def test_always_asks_the_registry_and_never_does_not(
    remote: FakeEngine, tmp_path: Path, steps: Steps
) -> None:
    with pytest.raises(NotFoundError):
        bring(remote, tmp_path, steps, service("never"))
    assert pulls(steps) == 0
    bring(remote, tmp_path, steps, service("always"))
    bring(remote, tmp_path, steps, service("always"))
    assert pulls(steps) == 2


def test_what_the_registry_does_not_have_names_its_line(
    engine: FakeEngine, tmp_path: Path, steps: Steps
) -> None:
    with pytest.raises(NotFoundError) as caught:
        bring(engine, tmp_path, steps, service())
    assert caught.value.message.startswith(f"{NAME} cannot be pulled.")
    assert (caught.value.line, caught.value.field) == (3, "services.web.image")


def test_a_pull_ends_with_its_operation(remote: FakeEngine, tmp_path: Path, steps: Steps) -> None:
    steps.cancel_at = f"Pull {NAME}"
    with pytest.raises(CancelledError):
        bring(remote, tmp_path, steps, service())
    assert remote.list_containers() == ()
