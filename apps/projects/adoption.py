"""Taking over what a host knows of its projects: the host's word on what was applied.

A panel that lost its database gets every project back, with the files last applied, when
its hosts report themselves again.
"""

import re

from django.db.models import Max

from agents.protocol.records import AppliedProject
from apps.accounts import audit
from apps.core.live import nudge
from apps.core.moments import moment
from apps.hosts.models import Host
from apps.operations.models import Operation
from apps.projects.checking import service_names
from apps.projects.files import encode_files, tidy_files
from apps.projects.models import Project, Revision

# It becomes part of addresses.
_UID = re.compile(r"[0-9a-f]{32}")


def adopt_project(host: Host, applied: AppliedProject) -> None:
    """Write down what the host says was applied; nothing happens the second time.

    Runs in a transaction.
    """
    host.lock()
    project = _find(host, applied)
    if not applied.files:
        _forget(project, applied)
        return
    if project is None:
        project = _adopt(host, applied)
    _adopt_revision(project, applied)


def _find(host: Host, applied: AppliedProject) -> Project | None:
    """By its uid, if it is this host's; else by name: a host has one project of a name."""
    own = Project.objects.present().filter(host=host)
    return own.filter(uid=applied.uid).first() or own.filter(name=applied.name).first()


def _forget(project: Project | None, applied: AppliedProject) -> None:
    """The files are gone from the host: the project was removed.

    Files applied later than that are another life of the project's.
    """
    if project is None or not _is_meant(project, applied):
        return
    rows = Project.objects.filter(pk=project.pk, removed_at=None)
    rows.update(removed_at=moment(applied.applied_at))
    nudge(project.topic, f"team:{project.team.uid}")


def _is_meant(project: Project, applied: AppliedProject) -> bool:
    """Whether the host speaks of this project, not of an earlier one of the same name.

    A host that never applied it, or knew it by another uid, names it by the operation alone.
    """
    if project.uid == applied.uid:
        return True
    asked = Operation.objects.filter(uid=applied.operation_id, host=project.host)
    return asked.filter(target_kind="project", target_uid=project.uid).exists()


def _adopt(host: Host, applied: AppliedProject) -> Project:
    # The uid of another host's project is not this host's to claim, nor a removed one's.
    taken = Project.objects.filter(uid=applied.uid).exists()
    values = {} if taken or not _UID.fullmatch(applied.uid) else {"uid": applied.uid}
    project = Project.objects.create(team=host.team, host=host, name=applied.name, **values)
    target = audit.Target(kind="project", uid=project.uid, name=project.name)
    audit.record("adopt", target, team=host.team, detail=f"from {host.name}")
    nudge(project.topic, f"team:{host.team.uid}")
    return project


def _adopt_revision(project: Project, applied: AppliedProject) -> None:
    """Add a revision if the host's files are none that the panel knows under that number."""
    files = tidy_files(applied.files)
    # Whoever deploys at the same time has taken a number.
    Project.objects.select_for_update().get(pk=project.pk)
    known = project.revisions.filter(number=applied.revision).first()
    if known is not None and known.files == files:
        return
    if any(revision.files == files for revision in project.revisions.filter(adopted=True)):
        return
    top = project.revisions.aggregate(top=Max("number"))["top"] or 0
    number = applied.revision if known is None and applied.revision > top else top + 1
    Revision.objects.create(
        project=project,
        number=number,
        files_json=encode_files(files),
        services=service_names(project.name, files),
        author_name=applied.applied_by[:150],
        note=f"Taken over from {project.host.name}",
        adopted=True,
    )
    nudge(project.topic)
