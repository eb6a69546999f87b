"""Operations on projects that are asked for again."""

import pytest

from apps.core.errors import ConflictError
from apps.operations.actions import retry_operation
from apps.operations.models import Operation, OperationState
from apps.projects.actions import FilesAndVariables, deploy_project, remove_project
from apps.projects.models import Project
from apps.projects.variables import Variable
from tests.observed import make_project

SECRET = "correct-horse-battery"


@pytest.fixture
def project(cast):
    return make_project(cast.host, "shop")


def deploy(cast, project) -> Operation:
    variables = (Variable(name="DB", value=SECRET),)
    files = Project.objects.get(pk=project.pk).draft.files
    content = FilesAndVariables(files=files, variables=variables)
    operation = deploy_project(cast.member, project, content).operation
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.FAILED)
    operation.refresh_from_db()
    return operation


def test_a_deployment_tried_again_is_the_revision_s_own(cast, project):
    again = retry_operation(cast.member, deploy(cast, project))
    assert project.revisions.get().operation == again
    assert again.command.variables == {"DB": SECRET}


def test_a_deployment_is_not_tried_again_twice(cast, project):
    operation = deploy(cast, project)
    retry_operation(cast.member, operation)
    with pytest.raises(ConflictError, match="tried again already"):
        retry_operation(cast.member, operation)
    assert Operation.objects.count() == 2


def test_a_retry_does_not_bring_back_files_that_were_replaced(cast, project):
    files = project.draft.files
    operation = deploy(cast, project)
    deploy_project(cast.member, project, FilesAndVariables(files=files))
    with pytest.raises(ConflictError, match="deployed since"):
        retry_operation(cast.member, operation)


def test_removing_one_project_again_does_not_remove_its_namesake(cast, project):
    deploy(cast, project)
    removal = remove_project(cast.member, project, confirm="shop")
    Operation.objects.filter(pk=removal.pk).update(state=OperationState.SUCCEEDED)
    removal.refresh_from_db()
    Project.objects.filter(pk=project.pk).update(removed_at=removal.created_at)
    make_project(cast.host, "shop")
    with pytest.raises(ConflictError, match="was removed"):
        retry_operation(cast.member, removal)


def test_a_command_in_the_database_tells_no_secret(cast, project):
    assert SECRET not in deploy(cast, project).command_sealed


def test_a_command_that_cannot_be_read_ends_and_holds_up_no_other(
    cast, project, settings, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=False) as send:
        files = FilesAndVariables(files=project.draft.files)
        operation = deploy_project(cast.member, project, files).operation
    settings.SECRET_KEY = "another"
    for callback in send:
        callback()
    operation.refresh_from_db()
    assert operation.state == OperationState.FAILED
    assert "secret key was changed" in operation.errors[0].message
