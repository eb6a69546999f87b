"""``up``: only what changed is replaced, and a failure leaves everything as it was."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.compose.errors import ComposeErrors
from agents.engines.base import Engine
from agents.engines.fake import FakeEngine
from agents.errors import (
    AgentError,
    CancelledError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PathEscapeError,
)
from agents.projects.up import Up
from agents.protocol.records import ProjectFile
from tests.agents.runtime.messages import FOREVER, ONE_SERVICE, deploy, files
from tests.agents.runtime.steps import Steps

Bring = Callable[..., str]
TWO = f"""\
services:
  web:
    image: busybox
    command: {FOREVER}
    depends_on: [db]
  db:
    image: busybox
    command: {FOREVER}
    volumes: ["data:/data"]
volumes:
  data: {{}}
"""


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def bring(engine: FakeEngine, tmp_path: Path, steps: Steps) -> Bring:
    """Bring the project “demo” up; what was applied last is what a next one starts from."""
    before: list[tuple[ProjectFile, ...]] = [()]

    def bring_up(text: str = TWO, **changes) -> str:
        up = Up(engine, tmp_path, deploy(text, **changes), steps, before[0])
        summary = up.run()
        before[0] = up.applied().files
        return summary

    return bring_up


def look(engine: Engine) -> dict[str, tuple[str, str]]:
    return {one.name: (one.id, one.state) for one in engine.list_containers()}


def test_it_makes_networks_volumes_and_containers(bring: Bring, engine: FakeEngine):
    assert bring() == "2 created"
    assert {name: state for name, (_, state) in look(engine).items()} == {
        "demo-web-1": "running",
        "demo-db-1": "running",
    }
    assert [one.name for one in engine.list_networks()] == ["demo_default"]
    assert [one.name for one in engine.list_volumes()] == ["demo_data"]


def test_what_others_need_starts_first(bring: Bring, engine: FakeEngine):
    bring()
    started = {one.name: one.started_at for one in engine.list_containers()}
    assert started["demo-db-1"] < started["demo-web-1"]


def test_an_unchanged_project_is_left_alone(bring: Bring, engine: FakeEngine):
    bring()
    before = look(engine)
    assert bring() == "2 unchanged"
    assert look(engine) == before


def test_only_the_changed_service_is_replaced(bring: Bring, engine: FakeEngine, steps: Steps):
    bring()
    before = look(engine)
    changed = TWO.replace("    depends_on", "    environment: {COLOUR: blue}\n    depends_on")
    assert bring(changed) == "1 replaced, 1 unchanged"
    after = look(engine)
    assert after["demo-db-1"] == before["demo-db-1"]
    assert after["demo-web-1"][0] != before["demo-web-1"][0]
    assert after["demo-web-1"][1] == "running"
    assert "Container demo-web-1: replace (environment.COLOUR)" in steps.texts
    assert steps.progress[-1] == (1, 1)


def test_a_service_that_is_gone_is_removed(bring: Bring, engine: FakeEngine):
    bring()
    bring(ONE_SERVICE)
    assert list(look(engine)) == ["demo-web-1"]


def test_a_missing_image_names_its_line_and_touches_nothing(bring: Bring, engine: FakeEngine):
    bring()
    before = look(engine)
    with pytest.raises(NotFoundError) as caught:
        bring(TWO.replace("    image: busybox", "    image: nothing", 1))
    error = caught.value
    assert (error.file, error.line, error.field) == ("compose.yml", 3, "services.web.image")
    assert look(engine) == before


def test_a_missing_path_names_its_line_and_touches_nothing(bring: Bring, engine: FakeEngine):
    bring()
    before = look(engine)
    with pytest.raises(NotFoundError) as caught:
        bring(TWO.replace("data:/data", "/nowhere/at/all:/data"))
    assert (caught.value.line, caught.value.field) == (9, "services.db.volumes[0]")
    assert look(engine) == before


def test_a_file_with_errors_touches_nothing(bring: Bring, engine: FakeEngine, tmp_path: Path):
    bring()
    before = look(engine)
    with pytest.raises(ComposeErrors):
        bring("services: {web: {imag: busybox}}")
    assert look(engine) == before
    assert (tmp_path / "projects/demo/compose.yml").read_text() == TWO


def test_a_container_that_cannot_start_gives_the_old_one_back(
    bring: Bring, engine: FakeEngine, tmp_path: Path
):
    bring()
    before = look(engine)
    broken = TWO.replace("    command:", "    command: no-such-program\n    x-was:", 1)
    with pytest.raises(InvalidInputError) as caught:
        bring(broken)
    assert caught.value.field.startswith("services.web")
    assert look(engine) == before
    assert (tmp_path / "projects/demo/compose.yml").read_text() == TWO


def test_what_was_replaced_before_the_failure_is_given_back_too(bring: Bring, engine: FakeEngine):
    bring()
    before = look(engine)
    broken = TWO.replace("    volumes", "    environment: {A: b}\n    volumes")
    broken = broken.replace("    command:", "    command: no-such-program\n    x-was:", 1)
    with pytest.raises(InvalidInputError):
        bring(broken)
    assert look(engine) == before


def test_a_first_up_that_fails_leaves_nothing(bring: Bring, engine: FakeEngine):
    with pytest.raises(InvalidInputError):
        bring(TWO.replace("    command:", "    command: no-such-program\n    x-was:", 1))
    assert look(engine) == {}
    assert engine.list_networks() == ()
    assert engine.list_volumes() == ()


def test_a_port_in_use_names_its_line(bring: Bring, engine: FakeEngine):
    with_port = ONE_SERVICE + "    ports: ['18080:80']\n"
    bring(with_port, project="other")
    with pytest.raises(ConflictError) as caught:
        bring(with_port)
    assert (caught.value.line, caught.value.field) == (5, "services.web.ports[0]")
    assert list(look(engine)) == ["other-web-1"]


def test_a_port_in_use_stops_nothing(bring: Bring, engine: FakeEngine):
    with_port = ONE_SERVICE + "    ports: ['18080:80']\n"
    bring(with_port, project="other")
    bring(ONE_SERVICE)
    before = {one.name: one.started_at for one in engine.list_containers()}
    with pytest.raises(ConflictError):
        bring(with_port)
    assert {one.name: one.started_at for one in engine.list_containers()} == before


def test_a_replaced_container_keeps_its_port(bring: Bring, engine: FakeEngine):
    with_port = ONE_SERVICE + "    ports: ['18080:80']\n"
    bring(with_port)
    bring(with_port + "    environment: {A: b}\n")
    (container,) = engine.list_containers()
    assert container.ports[0].host_port == 18080


def test_a_cancelled_up_gives_everything_back(bring: Bring, engine: FakeEngine, steps: Steps):
    bring()
    before = look(engine)
    steps.cancel_at = "Container demo-db-1: replace"
    with pytest.raises(CancelledError):
        bring(TWO.replace(FOREVER, FOREVER.replace("0.1", "0.2")))
    assert look(engine) == before


def test_it_waits_until_a_job_has_completed(bring: Bring, engine: FakeEngine):
    job = (
        "services:\n  job: {image: busybox, command: sleep 0.2}\n"
        f"  web:\n    image: busybox\n    command: {FOREVER}\n"
        "    depends_on: {job: {condition: service_completed_successfully}}\n"
    )
    bring(job)
    job_record = engine.find_container("demo-job-1")
    web = engine.find_container("demo-web-1")
    assert (job_record.state, job_record.exit_code) == ("exited", 0)
    assert web.started_at >= job_record.finished_at


def test_a_job_that_fails_stops_the_up(bring: Bring, engine: FakeEngine):
    job = (
        "services:\n  job: {image: busybox, command: exit 3}\n"
        f"  web:\n    image: busybox\n    command: {FOREVER}\n"
        "    depends_on: {job: {condition: service_completed_successfully}}\n"
    )
    with pytest.raises(ConflictError, match="exit code 3"):
        bring(job)
    assert look(engine) == {}


def test_a_built_service_is_built_and_replaced_when_its_image_changes(
    bring: Bring, engine: FakeEngine, steps: Steps
):
    text = "services:\n  app: {build: ./app, command: sleep 100, stop_grace_period: 0s}\n"

    def project(number: int) -> tuple[ProjectFile, ...]:
        dockerfile = ProjectFile(
            path="app/Dockerfile", content=f'FROM busybox\nCMD ["sleep", "{number}"]\n'
        )
        return (*files(text), dockerfile)

    assert bring(text, files=project(100)) == "1 created"
    assert bring(text, files=project(100)) == "1 unchanged"
    assert bring(text, files=project(200)) == "1 replaced"
    assert "Build demo-app" in steps.texts


def test_a_build_context_outside_the_project_is_refused(bring: Bring):
    with pytest.raises((PathEscapeError, ComposeErrors)):
        bring("services:\n  app: {build: ../../..}\n")


def test_a_folder_of_a_bind_mount_inside_the_project_is_made(bring: Bring, tmp_path: Path):
    bring(ONE_SERVICE + "    volumes: ['./data:/data']\n")
    assert (tmp_path / "projects/demo/data").is_dir()


def test_variables_fill_the_file_in(bring: Bring, engine: FakeEngine):
    bring(ONE_SERVICE + "    container_name: ${NAME}\n", variables={"NAME": "chosen"})
    assert list(look(engine)) == ["chosen"]


def test_errors_are_agent_errors_or_compose_errors(bring: Bring):
    with pytest.raises((AgentError, ComposeErrors)):
        bring(ONE_SERVICE, services=("nobody",))


SHARING = f"""\
services:
  app:
    image: busybox
    command: {FOREVER}
    network_mode: service:vpn
  vpn:
    image: busybox
    command: {FOREVER}
"""


def test_who_shares_a_network_is_replaced_with_the_one_it_is_of(bring: Bring, engine: FakeEngine):
    bring(SHARING)
    before = look(engine)
    assert bring(SHARING.replace("vpn:\n", "vpn:\n    hostname: other\n")) == "2 replaced"
    after = look(engine)
    assert after["demo-app-1"][0] != before["demo-app-1"][0]
    assert {state for _, state in after.values()} == {"running"}
