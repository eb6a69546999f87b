"""A panel that lost its database takes its hosts' projects over."""

import re

import pytest

from agents.protocol.events import Inventory, ProjectApplied
from agents.protocol.records import AppliedProject
from apps.core.events import dispatch
from apps.core.ids import new_uid
from apps.projects.actions import FilesAndVariables, deploy_project, remove_project
from apps.projects.models import Project
from tests import factories
from tests.observed import compose_files, make_project


def applied(**changes):
    given = {
        "uid": new_uid(),
        "name": "shop",
        "revision": 3,
        "files": compose_files(),
        "applied_at": 1.0,
        "applied_by": "Alice",
        "operation_id": "",
    }
    return AppliedProject(**{**given, **changes})


def test_an_unknown_project_is_made_with_its_files(cast):
    project = applied()
    dispatch(cast.host, Inventory(at=1.0, projects=(project,)))
    row = Project.objects.get()
    assert (row.uid, row.name, row.team) == (project.uid, "shop", cast.team)
    revision = row.revisions.get()
    assert (revision.number, revision.files) == (3, project.files)
    assert (revision.author_name, revision.services) == ("Alice", ["clock", "web"])


def test_the_second_report_adds_nothing(cast):
    inventory = Inventory(at=1.0, projects=(applied(),))
    dispatch(cast.host, inventory)
    dispatch(cast.host, inventory)
    assert Project.objects.get().revisions.count() == 1


def test_what_the_panel_deployed_itself_is_no_news(cast):
    project = make_project(cast.host, "shop")
    content = FilesAndVariables(files=compose_files())
    deploy_project(None, project, content)
    report = applied(uid=project.uid, revision=1)
    dispatch(cast.host, ProjectApplied(at=1.0, project=report))
    assert project.revisions.count() == 1


def test_files_that_the_panel_does_not_know_become_a_revision(cast):
    project = make_project(cast.host, "shop")
    deploy_project(None, project, FilesAndVariables(files=compose_files()))
    other = compose_files("services:\n  web:\n    image: other\n")
    report = Inventory(at=1.0, projects=(applied(uid=project.uid, revision=1, files=other),))
    dispatch(cast.host, report)
    dispatch(cast.host, report)
    assert [revision.number for revision in project.revisions.all()] == [2, 1]
    assert project.revisions.first().adopted


def test_forgotten_files_remove_the_project(cast):
    project = make_project(cast.host, "shop")
    dispatch(cast.host, ProjectApplied(at=2.0, project=applied(uid=project.uid, files=())))
    assert not Project.objects.present().exists()


def test_a_project_that_never_came_up_is_removed_all_the_same(cast):
    project = make_project(cast.host, "shop")
    deploy_project(None, project, FilesAndVariables(files=compose_files()))
    operation = remove_project(cast.member, project, confirm="shop")
    gone = applied(uid="", files=(), operation_id=operation.uid)
    dispatch(cast.host, ProjectApplied(at=2.0, project=gone))
    assert not Project.objects.present().exists()


def test_the_end_of_an_earlier_project_does_not_end_a_later_one_of_its_name(cast):
    make_project(cast.host, "shop")
    for uid in ("", new_uid()):
        dispatch(cast.host, ProjectApplied(at=2.0, project=applied(uid=uid, files=())))
    assert Project.objects.present().exists()


def test_a_host_cannot_claim_or_remove_another_hosts_project(cast, authority):
    project = make_project(cast.host, "shop")
    other = factories.make_host(factories.make_team(), authority)
    dispatch(other, ProjectApplied(at=1.0, project=applied(uid=project.uid)))
    dispatch(other, ProjectApplied(at=2.0, project=applied(uid=project.uid, files=())))
    project.refresh_from_db()
    assert (project.host, project.removed_at) == (cast.host, None)
    theirs = Project.objects.get(host=other)
    assert theirs.uid != project.uid


@pytest.mark.parametrize("uid", ["", "../x", "x" * 31, "a/" * 16])
def test_a_strange_uid_is_replaced(cast, uid):
    dispatch(cast.host, ProjectApplied(at=1.0, project=applied(uid=uid)))
    assert re.fullmatch("[0-9a-f]{32}", Project.objects.get().uid)
