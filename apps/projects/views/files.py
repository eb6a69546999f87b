"""The Files tab: edit, check, preview, deploy."""

import msgspec
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from agents.compose.errors import Problem
from apps.accounts.access import role_in
from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.http import client_ip
from apps.projects.access import get_project_for
from apps.projects.actions import (
    DeployOptions,
    FilesAndVariables,
    deploy_project,
    discard_draft,
    save_draft,
)
from apps.projects.checking import check_project
from apps.projects.editor import Editor
from apps.projects.errors import FilesRefusedError
from apps.projects.models import Project
from apps.projects.pages import frame_for
from apps.projects.preview import preview
from apps.projects.submitted import current_content, read_content


class CheckReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the editor is told: see ``static/js/editor-problems.js``."""

    problems: tuple[Problem, ...]


@require_safe
@login_required
def project_files(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """``/projects/<uid>/files/``: the editor, with ``?file=`` its first tab."""
    project = get_project_for(request.user, uid)
    return _render(request, project, current_content(project))


@require_POST
@login_required
def files_save(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Keep the files as a draft; also how files are added, renamed and removed."""
    project = get_project_for(request.user, uid, write=True)
    content = _submitted(request, project)
    try:
        save_draft(request.user, project, content)
    except FilesRefusedError as error:
        return _render(request, project, content, error)
    if "new_path" not in request.POST and "delete" not in request.POST:
        messages.success(request, "The draft was saved. Nothing was deployed.")
    query = urlencode({"file": request.POST.get("new_path") or request.POST.get("file", "")})
    return HttpResponseRedirect(f"{project.get_absolute_url()}files/?{query}")


@require_POST
@login_required
def files_discard(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Go back to what was deployed last."""
    project = get_project_for(request.user, uid, write=True)
    discard_draft(request.user, project)
    return HttpResponseRedirect(f"{project.get_absolute_url()}files/")


@require_POST
@login_required
def files_check(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """All problems of the files as submitted, as JSON; keeps nothing."""
    project = get_project_for(request.user, uid)
    content = _seen(request, project)
    checked = check_project(project.name, content.files, content.variables)
    reply = CheckReply(problems=checked.problems)
    return HttpResponse(msgspec.json.encode(reply), "application/json")


@require_POST
@login_required
def files_plan(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """What Deploy would do with the files as submitted, as a fragment."""
    project = get_project_for(request.user, uid)
    content = _seen(request, project)
    context = {"preview": preview(project, content.files, content.variables), "project": project}
    return render(request, "projects/_plan.html", context)


@require_POST
@login_required
def project_deploy(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """Deploy the files as submitted, or show all that is wrong with them."""
    project = get_project_for(request.user, uid, write=True)
    content = _submitted(request, project)
    options = DeployOptions(
        note=request.POST.get("note", "").strip(), force_recreate="force" in request.POST
    )
    try:
        revision = deploy_project(request.user, project, content, options, ip=client_ip(request))
    except FilesRefusedError as error:
        return _render(request, project, content, error)
    operation = revision.operation
    query = f"?operation={operation.uid}" if operation else ""
    return HttpResponseRedirect(project.get_absolute_url() + query)


def _seen(request: AuthenticatedHttpRequest, project: Project) -> FilesAndVariables:
    """What a person may have checked: a viewer only what is saved, as with files of their own
    they could have the values of secret variables put where pages show them.
    """
    role = role_in(request.user, project.team)
    may_write = role is not None and role.may_write
    return _submitted(request, project) if may_write else current_content(project)


def _submitted(request: AuthenticatedHttpRequest, project: Project) -> FilesAndVariables:
    return read_content(request, current_content(project).variables)


def _render(
    request: AuthenticatedHttpRequest,
    project: Project,
    content: FilesAndVariables,
    error: FilesRefusedError | None = None,
) -> HttpResponse:
    frame = frame_for(request.user, project, "Files")
    wanted = request.GET.get("file") or request.POST.get("file", "")
    context = {
        "frame": frame,
        "editor": Editor.of(content, wanted),
        "has_draft": hasattr(project, "draft"),
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "projects/files.html", context, status=status)
