"""Everything that can be done to a project. Each is one function: rights, rows, audit, and
the command to the host once the transaction commits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from agents.compose.errors import InvalidValueError
from agents.compose.names import check_project_name
from agents.protocol.commands import Command, DeployProject, ProjectAction, RemoveProject
from apps.accounts import audit
from apps.accounts.access import require_team
from apps.accounts.models import Team, User
from apps.core.errors import ConflictError, InvalidInputError
from apps.core.live import nudge
from apps.hosts.models import Host
from apps.operations.actions import request_operation
from apps.operations.models import Operation
from apps.projects.checking import check_project
from apps.projects.errors import FilesRefusedError
from apps.projects.files import Files, check_files, encode_files, tidy_files
from apps.projects.models import MAX_NAME, Draft, Project, Revision
from apps.projects.variables import Variables, as_mapping, encrypt_variables

Action = Literal["start", "stop", "restart"]


@dataclass(frozen=True, kw_only=True)
class FilesAndVariables:
    """What a revision consists of."""

    files: Files
    variables: Variables = ()


@dataclass(frozen=True, kw_only=True)
class DeployOptions:
    """How to deploy. ``restores`` is the number of the revision that is brought back."""

    note: str = ""
    force_recreate: bool = False
    restores: int | None = None


def create_project(
    user: User | None,
    *,
    team: Team,
    host: Host,
    name: str,
    content: FilesAndVariables,
    ip: str = "",
) -> Project:
    """Make a project with a draft of its files; nothing is sent.

    Raises :class:`InvalidInputError` for a bad name, :class:`ConflictError` for a taken one.
    """
    _require_write(user, team)
    _check_name(name)
    if host.team_id != team.pk:
        raise InvalidInputError("The host belongs to another team.", field="host")
    with transaction.atomic():
        host.lock()
        if Project.objects.called(host, name).exists():
            raise ConflictError(f"{host.name} has a project named {name}.", field="name")
        project = Project.objects.create(team=team, host=host, name=name)
        _write_draft(user, project, content)
        _audit("create", project, user, ip)
        nudge(f"team:{team.uid}", f"host:{host.uid}")
    return project


def save_draft(user: User, project: Project, content: FilesAndVariables) -> None:
    """Keep edited files without deploying them; they may have errors, but not in paths or sizes.

    Raises :class:`FilesRefusedError`.
    """
    _require_write(user, project.team)
    problems = [each for each in check_files(tidy_files(content.files)) if each.code != "missing"]
    if problems:
        raise FilesRefusedError(tuple(problems))
    _write_draft(user, project, content)
    nudge(project.topic)


def discard_draft(user: User, project: Project) -> None:
    """Go back to the files last deployed; does nothing for a project that never was."""
    _require_write(user, project.team)
    if project.revisions.exists():
        Draft.objects.filter(project=project).delete()
        nudge(project.topic)


def deploy_project(
    user: User | None,
    project: Project,
    content: FilesAndVariables,
    options: DeployOptions | None = None,
    *,
    ip: str = "",
) -> Revision:
    """Make the files the project's next revision and have the host apply it.

    Raises :class:`FilesRefusedError`, with every problem, before anything is written or sent.
    """
    _require_write(user, project.team)
    options = options or DeployOptions()
    files = tidy_files(content.files)
    checked = check_project(project.name, files, content.variables)
    if checked.project is None:
        raise FilesRefusedError(checked.problems)
    with transaction.atomic():
        # Whoever deploys at the same time waits here for its number.
        Project.objects.select_for_update().get(pk=project.pk)
        revision = Revision(
            project=project,
            number=_next_number(project),
            files_json=encode_files(files),
            variables_sealed=encrypt_variables(content.variables),
            services=sorted(checked.project.services),
            author=user,
            author_name=str(user) if user else "panel",
            note=options.note[:200],
            restores=options.restores,
        )
        command = _DeployCommand(revision=revision, options=options, content=content)
        revision.operation = _request(user, project, "deploy", command, ip=ip)
        revision.save()
        Draft.objects.filter(project=project).delete()
    return revision


def roll_back(user: User, project: Project, revision: Revision, *, ip: str = "") -> Revision:
    """Deploy an older revision's files and variables again, as a new revision."""
    return deploy_project(
        user,
        project,
        FilesAndVariables(files=revision.files, variables=revision.variables),
        DeployOptions(note=f"Back to revision {revision.number}", restores=revision.number),
        ip=ip,
    )


def act_on_project(
    user: User, project: Project, action: Action, *, service: str = "", ip: str = ""
) -> Operation:
    """Start, stop or restart all of the project, or one service."""
    _require_write(user, project.team)

    def command(operation_id: str) -> Command:
        services = (service,) if service else ()
        return ProjectAction(
            operation_id=operation_id, project=project.name, action=action, services=services
        )

    return _request(user, project, action, command, part=service, ip=ip)


def remove_project(
    user: User, project: Project, *, confirm: str, remove_volumes: bool = False, ip: str = ""
) -> Operation | None:
    """Have the host remove the project; its row goes when the host says that it is gone.

    ``confirm`` must be the project's name. One that was never deployed goes at once, and
    the answer is None. Raises :class:`InvalidInputError`.
    """
    _require_write(user, project.team)
    if confirm != project.name:
        message = f"Type {project.name} to confirm."
        raise InvalidInputError(message, field="confirm")
    if not project.revisions.exists():
        _remove_undeployed(user, project, ip)
        return None

    def command(operation_id: str) -> Command:
        return RemoveProject(
            operation_id=operation_id,
            project=project.name,
            remove_volumes=remove_volumes,
            forget_files=True,
        )

    return _request(user, project, "remove", command, ip=ip)


@dataclass(frozen=True, kw_only=True)
class _DeployCommand:
    """Makes the command once the operation has its id."""

    revision: Revision
    options: DeployOptions
    content: FilesAndVariables

    def __call__(self, operation_id: str) -> Command:
        project = self.revision.project
        return DeployProject(
            operation_id=operation_id,
            project_uid=project.uid,
            project=project.name,
            revision=self.revision.number,
            files=self.revision.files,
            variables=as_mapping(self.content.variables),
            force_recreate=self.options.force_recreate,
            requested_by=self.revision.author_name,
        )


def _remove_undeployed(user: User, project: Project, ip: str) -> None:
    with transaction.atomic():
        Project.objects.filter(pk=project.pk).update(removed_at=timezone.now())
        _audit("remove", project, user, ip)
        nudge(project.topic, f"team:{project.team.uid}")


def _request(
    user: User | None,
    project: Project,
    verb: str,
    command: Callable[[str], Command],
    *,
    part: str = "",
    ip: str = "",
) -> Operation:
    return request_operation(
        user,
        host=project.host,
        command_factory=command,
        verb=verb,
        target_kind="project",
        target_uid=project.uid,
        target_name=f"{project.name}/{part}" if part else project.name,
        team=project.team,
        ip=ip,
    )


def _require_write(user: User | None, team: Team) -> None:
    """None is the panel itself, which may."""
    if user is not None:
        require_team(user, team, write=True)


def _check_name(name: str) -> None:
    try:
        check_project_name(name)
    except InvalidValueError as error:
        raise InvalidInputError(error.message, hint=error.hint, field="name") from error
    if len(name) > MAX_NAME:
        raise InvalidInputError(f"A project's name may have {MAX_NAME} characters.", field="name")


def _next_number(project: Project) -> int:
    top = project.revisions.aggregate(top=Max("number"))["top"]
    return (top or 0) + 1


def _write_draft(user: User | None, project: Project, content: FilesAndVariables) -> None:
    values = {
        "files_json": encode_files(tidy_files(content.files)),
        "variables_sealed": encrypt_variables(content.variables),
        "author": user,
    }
    Draft.objects.update_or_create(project=project, defaults=values)


def _audit(verb: str, project: Project, user: User | None, ip: str) -> None:
    target = audit.Target(kind="project", uid=project.uid, name=project.name)
    audit.record(verb, target, team=project.team, actor=user, ip=ip)
