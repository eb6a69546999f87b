"""The Deployments tab: revisions, what each changed, and the way back."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.http import AuthenticatedHttpRequest
from apps.core.components import Crumb
from apps.core.http import client_ip
from apps.operations.models import Operation
from apps.projects.access import get_project_for, get_revision_for
from apps.projects.actions import roll_back
from apps.projects.diffs import compare_files
from apps.projects.pages import frame_for

_PER_PAGE = 30


@require_safe
@login_required
def project_deployments(request: AuthenticatedHttpRequest, uid: str) -> HttpResponse:
    """``/projects/<uid>/deployments/``: revisions and the operations on the project."""
    project = get_project_for(request.user, uid)
    revisions = (
        project.revisions.select_related("operation")
        .defer("files_json", "variables_sealed")
        .order_by("-number")
    )
    mine = Operation.objects.filter(target_kind="project", target_uid=project.uid)
    context = {
        "frame": frame_for(request.user, project, "Deployments"),
        "page": Paginator(revisions, _PER_PAGE).get_page(request.GET.get("page")),
        "operations": mine.order_by("-id")[:_PER_PAGE],
    }
    template = "projects/_deployments.html" if request.htmx else "projects/deployments.html"
    return render(request, template, context)


@require_safe
@login_required
def revision_detail(request: AuthenticatedHttpRequest, uid: str, number: int) -> HttpResponse:
    """One revision: what it changed against the one before it, or ``?against=<number>``."""
    project, revision = get_revision_for(request.user, uid, number)
    against = request.GET.get("against", "")
    earlier = project.revisions.filter(number__lt=number).order_by("-number")
    chosen = project.revisions.filter(number=int(against)) if against.isdecimal() else earlier
    base = chosen.first()
    crumbs = (
        Crumb(label="Deployments", url=f"{project.get_absolute_url()}deployments/"),
        Crumb(label=f"Revision {number}"),
    )
    context = {
        "frame": frame_for(request.user, project, "Deployments", *crumbs),
        "revision": revision,
        "base": base,
        "changes": compare_files(base.files if base else (), revision.files),
        "numbers": project.revisions.exclude(number=number).values_list("number", flat=True),
    }
    return render(request, "projects/revision.html", context)


@require_POST
@login_required
def revision_restore(request: AuthenticatedHttpRequest, uid: str, number: int) -> HttpResponse:
    """Deploy an older revision again."""
    project, revision = get_revision_for(request.user, uid, number, write=True)
    made = roll_back(request.user, project, revision, ip=client_ip(request))
    operation = made.operation
    query = f"?operation={operation.uid}" if operation else ""
    return HttpResponseRedirect(project.get_absolute_url() + query)
