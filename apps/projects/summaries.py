"""Projects as lists show them: any number of projects costs the same few queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Q, Subquery

from apps.operations.models import Operation, OperationState
from apps.projects.models import Project, Revision
from apps.projects.state import URGENCY, Observed, ProjectState, derive_state
from apps.services.models import Container

KINDS = ("latest", "applied")
ACTIVE_STATES = [state.value for state in OperationState if not state.has_ended]
_FAILED = {OperationState.FAILED.value, OperationState.LOST.value}


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One project with its state. ``latest`` is the newest revision, ``applied`` the newest
    that the host took; neither has its files loaded.
    """

    project: Project
    state: ProjectState
    containers: int
    latest: Revision | None
    applied: Revision | None
    active: Operation | None

    @property
    def last_deploy_failed(self) -> bool:
        """Whether the newest revision was not taken."""
        return _has_failed(self.latest)

    @property
    def urgency(self) -> tuple[int, bool, str]:
        """Sorts by need of attention."""
        return (URGENCY[self.state.name], not self.last_deploy_failed, self.project.name)


def summarize(projects: Iterable[Project]) -> list[Summary]:
    """Return a summary of each, in the same order."""
    rows = list(projects)
    revisions = _find_revisions(rows)
    containers = _find_containers(rows)
    active = _find_active(rows)
    return [
        _summarize(
            project,
            containers[(project.host_id, project.name)],
            revisions.get((project.pk, "latest")),
            revisions.get((project.pk, "applied")),
            active.get(project.uid),
        )
        for project in rows
    ]


def _summarize(
    project: Project,
    containers: Sequence[Observed],
    latest: Revision | None,
    applied: Revision | None,
    active: Operation | None,
) -> Summary:
    state = derive_state(
        deployed=applied is not None,
        host_online=project.host.is_online,
        services=applied.services if applied else (),
        containers=containers,
        active_verb=active.verb if active else "",
        last_deploy_failed=_has_failed(latest),
    )
    return Summary(
        project=project,
        state=state,
        containers=len(containers),
        latest=latest,
        applied=applied,
        active=active,
    )


def _has_failed(revision: Revision | None) -> bool:
    operation = revision.operation if revision else None
    return operation is not None and operation.state in _FAILED


def _find_revisions(projects: list[Project]) -> dict[tuple[int, str], Revision]:
    taken = Q(adopted=True) | Q(operation__state=OperationState.SUCCEEDED)
    mine = Revision.objects.filter(project=OuterRef("pk")).order_by("-number").values("pk")
    keys = Project.objects.filter(pk__in=[project.pk for project in projects]).values_list(
        "pk", Subquery(mine[:1]), Subquery(mine.filter(taken)[:1])
    )
    wanted = {(pk, kind): key for pk, *pair in keys for kind, key in zip(KINDS, pair, strict=True)}
    rows = Revision.objects.select_related("operation").defer("files_json", "variables_sealed")
    found = rows.in_bulk([key for key in wanted.values() if key is not None])
    return {place: found[key] for place, key in wanted.items() if key is not None}


def _find_containers(projects: list[Project]) -> dict[tuple[int, str], list[Observed]]:
    rows = Container.objects.present().filter(
        host__in={project.host_id for project in projects},
        project__in={project.name for project in projects},
    )
    columns = ("service", "state", "exit_code", "health", "oom_killed", "stopped")
    found: dict[tuple[int, str], list[Observed]] = defaultdict(list)
    for row in rows.values("host_id", "project", *columns):
        key = (row.pop("host_id"), row.pop("project"))
        found[key].append(Observed(**row))
    return found


def _find_active(projects: list[Project]) -> dict[str, Operation]:
    """The operation under way of each: the one asked for first, as the host takes them in turn."""
    rows = Operation.objects.filter(
        target_kind="project",
        target_uid__in=[project.uid for project in projects],
        state__in=ACTIVE_STATES,
    ).order_by("-id")
    return {row.target_uid: row for row in rows}
