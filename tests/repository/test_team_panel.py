"""compose.yml and what the image is made from; that they work is tried by hand on Docker."""

from pathlib import Path

import pytest

from agents.compose.load import check
from agents.compose.model import Project

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"POSTGRES_PASSWORD": "secret", "WEBPANEL_ADDRESS": "panel.example.org"}


@pytest.fixture(scope="module")
def project() -> Project:
    files = {"compose.yml": (ROOT / "compose.yml").read_text()}
    checked = check(files, variables=ENVIRONMENT, working_dir="/srv/webpanel")
    assert checked.project is not None, checked.errors
    return checked.project


def test_our_own_reader_takes_all_of_it(project: Project) -> None:
    assert project.warnings == ()


def test_all_programs_of_the_panel_are_one_image_that_is_built_once(project: Project) -> None:
    ours = [each for each in project.services.values() if each.name != "database"]
    assert {each.image for each in ours} == {"webpanel"}
    assert [each.name for each in ours if each.build is not None] == ["prepare"]


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_what_must_be_chosen_is_asked_for(name: str) -> None:
    files = {"compose.yml": (ROOT / "compose.yml").read_text()}
    chosen = {key: value for key, value in ENVIRONMENT.items() if key != name}
    assert any(name in str(each) for each in check(files, variables=chosen).errors)


@pytest.mark.parametrize("name", [".env", ".git", "var"])
def test_no_secret_gets_into_the_image(name: str) -> None:
    assert name in (ROOT / ".dockerignore").read_text().splitlines()
