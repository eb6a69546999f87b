"""Services of a project wait for the true health of what they need."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.errors import ConflictError
from agents.projects.up import Up
from tests.agents.runtime.messages import deploy
from tests.agents.runtime.steps import Steps
from tests.native_engine import clear, native_engine

pytestmark = pytest.mark.root

Bring = Callable[[str], str]
PROJECT = """\
services:
  web:
    image: busybox
    command: sh -c 'echo web; sleep 1000'
    stop_grace_period: 0s
    depends_on: {{db: {{condition: service_healthy, required: {required}}}}}
  db:
    image: busybox
    command: sh -c '{script}'
    stop_grace_period: 0s
    healthcheck: {health}
"""
READY = """\
{test: 'test -e /ready || { echo not yet; exit 3; }', retries: 1, interval: 100ms,
     start_period: 60s, start_interval: 50ms}"""
SLOW = "sleep 0.7; touch /ready; sleep 1000"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeEngine]:
    with native_engine(tmp_path_factory.mktemp("native")) as engine:
        yield engine


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def bring(engine: NativeEngine, tmp_path: Path, steps: Steps) -> Iterator[Bring]:
    yield lambda text: Up(engine, tmp_path, deploy(text), steps).run()
    clear(engine)


def project(health: str, script: str = "sleep 1000", *, required: bool = True) -> str:
    return PROJECT.format(health=health, script=script, required=str(required).lower())


def test_a_service_starts_when_the_other_is_well(bring: Bring, engine: NativeEngine) -> None:
    assert bring(project(READY, SLOW))
    web, db = (engine.find_container(f"demo-{name}-1") for name in ("web", "db"))
    assert db.health == "healthy"
    assert db.started_at is not None
    assert web.started_at is not None
    assert web.started_at - db.started_at > 0.7


def test_one_that_is_not_well_fails_the_others_with_what_it_said(
    bring: Bring, engine: NativeEngine
) -> None:
    health = "{test: 'echo no disk; exit 3', interval: 100ms, retries: 2}"
    with pytest.raises(ConflictError, match="db is unhealthy") as caught:
        bring(project(health))
    assert "exit code 3 and said: no disk" in caught.value.message
    assert engine.list_containers() == ()


def test_one_that_need_not_be_well_is_not_insisted_on(
    bring: Bring, engine: NativeEngine, steps: Steps
) -> None:
    health = "{test: exit 3, interval: 100ms, retries: 1}"
    assert bring(project(health, required=False)) == "2 created"
    assert any("db is unhealthy" in text for text in steps.texts)


def test_one_that_ends_before_it_is_well_is_not_waited_for(bring: Bring) -> None:
    with pytest.raises(ConflictError, match="ended with exit code 5 before it was healthy"):
        bring(project("{test: exit 0, interval: 60s}", "exit 5"))


def test_one_that_nobody_checks_is_not_waited_for(bring: Bring) -> None:
    with pytest.raises(ConflictError, match="has no health check"):
        bring(project("{interval: 5s}"))
