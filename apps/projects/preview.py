"""What pressing Deploy would do: the plan that the host will make, from what is observed."""

from dataclasses import dataclass, replace

import msgspec

from agents.compose import labels
from agents.compose.changes import Change
from agents.compose.errors import Problem
from agents.compose.model import Project as ComposeProject
from agents.compose.observed import (
    Observed,
    ObservedContainer,
    ObservedNetwork,
    ObservedVolume,
)
from agents.compose.plan import Plan, plan
from apps.projects.checking import check_project
from apps.projects.files import Files
from apps.projects.models import Project
from apps.projects.variables import Variables, hide_secrets
from apps.services.choices import Shown
from apps.services.models import Container, Network, Volume

_SHOWN = {
    "create": Shown(label="Create", tone="success"),
    "recreate": Shown(label="Replace", tone="warning"),
    "start": Shown(label="Start", tone="info"),
    "restart": Shown(label="Restart", tone="info"),
    "leave": Shown(label="Leave alone", tone="neutral"),
    "remove": Shown(label="Remove", tone="danger"),
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """What becomes of one thing, and why."""

    kind: str
    noun: str
    name: str
    shown: Shown
    reasons: tuple[Change, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A plan as a page shows it; with errors among the problems there are no steps."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    changes_nothing: bool = False

    @property
    def blocked(self) -> bool:
        """Whether Deploy would be refused."""
        return any(problem.severity == "error" for problem in self.problems)


def preview(project: Project, files: Files, variables: Variables) -> Preview:
    """Work out what a deployment of these files would do; sends nothing, changes nothing."""
    rows = list(Container.objects.of_project(project.host, project.name))
    checked = check_project(project.name, files, variables, working_dir=_working_dir(rows))
    if checked.project is None:
        return Preview(steps=(), problems=checked.problems)
    found = plan(checked.project, _observe(project, rows), remove_orphans=True)
    return Preview(
        steps=tuple(_hide(step, variables) for step in _steps(found, checked.project)),
        problems=(*found.problems, *checked.problems),
        changes_nothing=found.changes_nothing and not _builds(checked.project),
    )


def _hide(step: Step, variables: Variables) -> Step:
    """Blot secrets out of the reasons: a variable may be used in any field."""
    reasons = tuple(
        msgspec.structs.replace(
            change,
            before=hide_secrets(change.before, variables),
            after=hide_secrets(change.after, variables),
        )
        for change in step.reasons
    )
    return replace(step, reasons=reasons)


def _working_dir(rows: list[Container]) -> str:
    """The project's folder on its host, which its containers' labels tell."""
    return next((row.record.labels.get(labels.WORKING_DIR, "") for row in rows), "")


def _observe(project: Project, rows: list[Container]) -> Observed:
    networks = Network.objects.filter(host=project.host)
    volumes = Volume.objects.filter(host=project.host)
    return Observed(
        containers=tuple(_observe_container(row) for row in rows),
        networks=tuple(
            ObservedNetwork(
                name=row.name,
                project=row.labels.get(labels.PROJECT, ""),
                key=row.labels.get(labels.NETWORK, ""),
                config_hash=row.labels.get(labels.CONFIG_HASH, ""),
            )
            for row in networks
        ),
        volumes=tuple(
            ObservedVolume(
                name=row.name,
                project=row.labels.get(labels.PROJECT, ""),
                key=row.labels.get(labels.VOLUME, ""),
            )
            for row in volumes
        ),
    )


def _observe_container(row: Container) -> ObservedContainer:
    record = row.record
    return ObservedContainer(
        id=record.id,
        name=record.name,
        service=row.service,
        number=row.number,
        state=record.state,
        image_id=record.image_id,
        config_hash=record.labels.get(labels.CONFIG_HASH, ""),
        spec_json=record.spec_json,
        depends_on=labels.parse_dependencies(record.labels.get(labels.DEPENDS_ON, "")),
        one_off=record.labels.get(labels.ONE_OFF, "") == "True",
    )


def _builds(project: ComposeProject) -> set[str]:
    return {name for name, service in project.services.items() if service.build is not None}


def _steps(found: Plan, project: ComposeProject) -> list[Step]:
    built = _builds(project)
    steps = [
        Step(
            kind=part.kind,
            noun=noun,
            name=part.name,
            shown=_SHOWN[part.kind],
            reasons=part.reasons,
        )
        for noun, parts in (("network", found.networks), ("volume", found.volumes))
        for part in parts
        if part.kind != "leave"
    ]
    for part in found.containers:
        unsure = part.kind in ("leave", "start") and part.service in built
        note = "built first; replaced if that gives another image" if unsure else ""
        shown = _SHOWN[part.kind]
        steps.append(
            Step(
                kind=part.kind,
                noun="service",
                name=part.service if part.number == 1 else f"{part.service} ({part.number})",
                shown=shown,
                reasons=part.reasons,
                note=note,
            )
        )
    return steps
