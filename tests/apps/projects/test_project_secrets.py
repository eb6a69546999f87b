"""The values of secret variables come back to nobody."""

import json

import pytest

from apps.operations.models import Operation
from apps.projects.actions import FilesAndVariables, save_draft
from apps.projects.variables import Variable
from tests.observed import COMPOSE, make_project, run_project

SECRET = "correct-horse-battery"
PROBE = COMPOSE.replace("[httpd, -f]", '[httpd, "${DB}"]')
UNBUILDABLE = 'services:\n  web:\n    build: "./${DB}"\n'


@pytest.fixture
def project(cast):
    made = make_project(cast.host, "shop")
    files = FilesAndVariables(
        files=made.draft.files, variables=(Variable(name="DB", value=SECRET),)
    )
    save_draft(cast.member, made, files)
    return made


def form(text):
    variable = {"variable-name": ["DB"], "variable-value": [""], "variable-kind": ["secret"]}
    return {"path": ["compose.yml"], "content": [text], **variable}


def post(cast, person, project, page, text):
    return cast.client(person).post(f"/projects/{project.uid}/{page}/", form(text))


def test_the_plan_of_a_member_s_own_files_tells_no_secret(cast, project):
    run_project(project)
    page = post(cast, cast.member, project, "files/plan", PROBE).text
    assert "<code>command</code>" in page
    assert SECRET not in page


@pytest.mark.parametrize("page", ["files/check", "deploy"])
def test_no_problem_of_a_file_tells_a_secret(cast, project, page):
    answer = post(cast, cast.member, project, page, UNBUILDABLE)
    assert "•••" in answer.text
    assert SECRET not in answer.text


def test_a_viewer_has_only_the_saved_files_checked(cast, project):
    answer = post(cast, cast.viewer, project, "files/check", UNBUILDABLE)
    assert json.loads(answer.content) == {"problems": []}
    run_project(project)
    assert "<code>command</code>" not in post(cast, cast.viewer, project, "files/plan", PROBE).text


def test_no_page_that_follows_a_deployment_has_the_secret(cast, project):
    post(cast, cast.member, project, "deploy", PROBE)
    operation = Operation.objects.get(verb="deploy")
    member = cast.client(cast.member)
    for address in (
        f"/projects/{project.uid}/",
        f"/projects/{project.uid}/files/",
        f"/projects/{project.uid}/deployments/1/",
        f"/operations/{operation.uid}/",
        "/audit/",
    ):
        page = member.get(address)
        assert page.status_code == 200
        assert SECRET not in page.text
