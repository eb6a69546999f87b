"""Editing, checking and deploying a project's files."""

import json

import pytest

from agents.protocol.commands import DeployProject, ProjectAction, RemoveProject
from apps.accounts.models import AuditEntry
from apps.operations.models import Operation, OperationState
from apps.projects.models import Project
from apps.projects.variables import Variable, encrypt_variables
from tests.observed import COMPOSE, make_project, run_project


@pytest.fixture
def project(cast):
    return make_project(cast.host, "shop")


def form(text=COMPOSE, **extra):
    variables = {"variable-name": [], "variable-value": [], "variable-kind": []}
    return {"path": ["compose.yml"], "content": [text], **variables, **extra}


def post(cast, person, project, page, data):
    return cast.client(person).post(f"/projects/{project.uid}/{page}/", data)


def command(kind):
    sent = Operation.objects.latest("id").command
    assert isinstance(sent, kind)
    return sent


def test_deploying_makes_a_revision_and_sends_all_files(cast, project):
    answer = post(cast, cast.member, project, "deploy", form(note="first"))
    revision = project.revisions.get()
    operation = revision.operation
    assert answer["Location"] == f"/projects/{project.uid}/?operation={operation.uid}"
    sent = command(DeployProject)
    assert (sent.project_uid, sent.project, sent.revision) == (project.uid, "shop", 1)
    assert sent.files == revision.files
    assert sent.requested_by == str(cast.member)
    assert (revision.services, revision.note) == (["clock", "web"], "first")
    assert not hasattr(Project.objects.get(), "draft")


def test_deploying_is_on_record(cast, project):
    post(cast, cast.member, project, "deploy", form())
    entry = AuditEntry.objects.get(verb="deploy")
    assert (entry.actor, entry.target_name) == (cast.member, "shop")


def test_files_with_errors_are_refused_with_all_of_them_and_nothing_is_sent(cast, project):
    run_project(project)
    text = "services:\n  web:\n    imag: busybox\n    ports: ['99999:80']\n"
    answer = post(cast, cast.member, project, "deploy", form(text))
    assert answer.status_code == 422
    assert "what runs was not touched" in answer.text
    assert "compose.yml:3" in answer.text
    assert "compose.yml:4" in answer.text
    assert "services.web" in answer.text
    assert "imag: busybox" in answer.text
    assert "expected a number from" in answer.text
    assert not Operation.objects.exists()
    assert not project.revisions.exists()


def test_a_missing_dockerfile_is_found_before_anything_is_sent(cast, project):
    answer = post(cast, cast.member, project, "deploy", form("services:\n  web:\n    build: ./web"))
    assert answer.status_code == 422
    assert "web/Dockerfile" in answer.text


@pytest.mark.parametrize("page", ["deploy", "files/save", "files/discard", "remove", "act/stop"])
def test_a_viewer_may_not_and_a_stranger_finds_nothing(cast, project, page):
    assert post(cast, cast.viewer, project, page, form()).status_code == 403
    assert post(cast, cast.stranger, project, page, form()).status_code == 404
    assert not Operation.objects.exists()


def test_the_editor_is_told_every_problem_with_its_place(cast, project):
    text = "services:\n  web:\n    imag: busybox\n"
    answer = post(cast, cast.member, project, "files/check", form(text))
    problems = json.loads(answer.content)["problems"]
    assert {"file": "compose.yml", "line": 3}.items() <= problems[0].items()
    assert not project.revisions.exists()


def test_good_files_have_no_problems(cast, project):
    answer = post(cast, cast.member, project, "files/check", form())
    assert json.loads(answer.content) == {"problems": []}


def test_a_draft_is_kept_and_shown_again(cast, project):
    post(cast, cast.member, project, "files/save", form("services: {}  # mine\n"))
    page = cast.client(cast.viewer).get(f"/projects/{project.uid}/files/")
    assert "# mine" in page.text
    assert not Operation.objects.exists()


def test_a_file_is_added_and_deleted(cast, project):
    post(cast, cast.member, project, "files/save", form(new_path="web/Dockerfile"))
    assert [file.path for file in Project.objects.get().draft.files] == [
        "compose.yml",
        "web/Dockerfile",
    ]
    two = form() | {"path": ["compose.yml", "web/Dockerfile"], "content": [COMPOSE, ""]}
    post(cast, cast.member, project, "files/save", {**two, "delete": "1"})
    assert [file.path for file in Project.objects.get().draft.files] == ["compose.yml"]


def test_enter_in_the_form_saves_and_never_deletes(cast, project):
    page = cast.client(cast.member).get(f"/projects/{project.uid}/files/").text
    form_html = page[page.index('id="files-form"') :]
    first = form_html[form_html.index("<button") :].partition(">")[0]
    assert 'type="submit"' in first
    assert "name=" not in first
    assert "formaction=" not in first


def test_a_path_out_of_the_folder_is_refused(cast, project):
    answer = post(cast, cast.member, project, "files/save", form(new_path="../../etc/passwd"))
    assert answer.status_code == 422
    assert len(Project.objects.get().draft.files) == 1


def test_a_secret_is_sent_to_the_host_but_never_to_a_browser(cast, project):
    secret = {
        "variable-name": ["DB_PASSWORD"],
        "variable-value": ["hunter2"],
        "variable-kind": ["secret"],
    }
    post(cast, cast.member, project, "deploy", form() | secret)
    assert command(DeployProject).variables == {"DB_PASSWORD": "hunter2"}
    page = cast.client(cast.owner).get(f"/projects/{project.uid}/files/").text
    assert "DB_PASSWORD" in page
    assert "hunter2" not in page
    kept = {**secret, "variable-value": [""]}
    post(cast, cast.member, project, "deploy", form() | kept)
    assert command(DeployProject).variables == {"DB_PASSWORD": "hunter2"}


def test_an_older_revision_is_deployed_again_as_a_new_one(cast, project):
    post(cast, cast.member, project, "deploy", form())
    post(cast, cast.member, project, "deploy", form(COMPOSE.replace("60", "90")))
    answer = post(cast, cast.member, project, "deployments/1/restore", {})
    assert answer.status_code == 302
    sent = command(DeployProject)
    assert sent.revision == 3
    assert '"60"' in sent.files[0].content
    assert project.revisions.first().restores == 1


def test_a_revision_shows_what_it_changed(cast, project):
    post(cast, cast.member, project, "deploy", form())
    post(cast, cast.member, project, "deploy", form(COMPOSE.replace("60", "90")))
    page = cast.client(cast.viewer).get(f"/projects/{project.uid}/deployments/2/").text
    assert "diff-added" in page
    assert "&quot;90&quot;" in page


def test_the_plan_says_what_is_replaced_and_why(cast, project):
    run_project(project)
    changed = COMPOSE.replace("[httpd, -f]", "[httpd, -f, -v]")
    page = post(cast, cast.member, project, "files/plan", form(changed)).text
    assert "Replace" in page
    assert "<code>command</code>" in page
    assert "Leave alone" in page


def test_the_plan_of_what_runs_already_changes_nothing(cast, project):
    run_project(project)
    project.host.networks.create(network_id="n", name="shop_default", driver="bridge")
    page = post(cast, cast.member, project, "files/plan", form()).text
    assert "Everything is as the files say" in page


def test_one_service_is_restarted(cast, project):
    post(cast, cast.member, project, "act/restart", {"service": "web"})
    sent = command(ProjectAction)
    assert (sent.project, sent.action, sent.services) == ("shop", "restart", ("web",))


def test_removing_needs_the_name_typed(cast, project):
    post(cast, cast.member, project, "deploy", form())
    answer = post(cast, cast.member, project, "remove", {"confirm": "shp"})
    assert answer.status_code == 422
    post(cast, cast.member, project, "remove", {"confirm": "shop", "remove_volumes": "on"})
    sent = command(RemoveProject)
    assert (sent.project, sent.remove_volumes, sent.forget_files) == ("shop", True, True)


def test_a_project_that_was_never_deployed_goes_at_once(cast, project):
    post(cast, cast.member, project, "remove", {"confirm": "shop"})
    assert not Project.objects.present().exists()
    assert not Operation.objects.exists()


def test_a_failed_deployment_is_told_apart_from_what_is_in_force(cast, project):
    post(cast, cast.member, project, "deploy", form())
    Operation.objects.update(state=OperationState.SUCCEEDED)
    run_project(project)
    post(cast, cast.member, project, "deploy", form(COMPOSE.replace("60", "90")))
    Operation.objects.filter(state=OperationState.QUEUED).update(state=OperationState.FAILED)
    page = cast.client(cast.viewer).get(f"/projects/{project.uid}/").text
    assert "Revision 2 was not applied; revision 1 is still in force" in page


def test_variables_are_not_readable_in_the_database(cast, project):
    sealed = encrypt_variables((Variable(name="A", value="hunter2"),))
    assert "hunter2" not in sealed
