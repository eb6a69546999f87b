"""Operations on projects asked for again: only where that still means the same."""

from apps.core.errors import ConflictError
from apps.operations.models import Operation
from apps.operations.retrying import on_retry
from apps.projects.models import Project


@on_retry("project")
def take_over(old: Operation, new: Operation) -> None:
    """Refuse what would hit a namesake or bring back old files; let the revision follow.

    A command names its project by name alone, so that of a project that was removed would
    be done to whatever bears its name now.
    """
    present = Project.objects.present().select_for_update().filter(uid=old.target_uid)
    project = present.first()
    if project is None:
        raise ConflictError("The project was removed; this cannot be done to it again.")
    if old.verb == "deploy":
        _take_over_revision(project, old, new)


def _take_over_revision(project: Project, old: Operation, new: Operation) -> None:
    newest = project.revisions.order_by("-number").first()
    if newest is None or newest.operation_id != old.pk:
        raise ConflictError(
            "Other files were deployed since, or this was tried again already.",
            hint="Choose the revision under Deployments, and deploy it again.",
        )
    newest.operation = new
    newest.save(update_fields=["operation"])
