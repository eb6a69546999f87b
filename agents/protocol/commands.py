"""Commands: what the panel asks of a host, as signed Celery tasks on the host's queue.

Each is idempotent by ``operation_id``: a second delivery of one that has ended does
nothing but report its end again.
"""

from typing import Literal

import msgspec

from agents.protocol.records import ProjectFile


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all commands."""

    operation_id: str


class DeployProject(Command, frozen=True, kw_only=True):
    """Bring a project to what its files say: compose's ``up``.

    ``files`` replaces the whole set of files kept on the host. ``services`` limits the act
    to these and what they depend on; none means all. ``requested_by`` is kept beside the
    files on the host. ``remove_orphans`` removes containers of services no longer named.
    """

    project_uid: str
    project: str
    revision: int
    files: tuple[ProjectFile, ...]
    variables: dict[str, str] = {}
    services: tuple[str, ...] = ()
    force_recreate: bool = False
    remove_orphans: bool = True
    build: bool = True
    requested_by: str = ""


class ProjectAction(Command, frozen=True, kw_only=True):
    """Act on all containers of a project, or on those of the named services."""

    project: str
    action: Literal["start", "stop", "restart"]
    services: tuple[str, ...] = ()


class RemoveProject(Command, frozen=True, kw_only=True):
    """Compose's ``down``: remove containers and networks, and the volumes if asked."""

    project: str
    remove_volumes: bool = False
    forget_files: bool = False


class ContainerAction(Command, frozen=True, kw_only=True):
    """Act on one container."""

    container_id: str
    action: Literal["start", "stop", "restart", "kill", "remove"]


class RemoveImage(Command, frozen=True, kw_only=True):
    """Remove an image by reference or id; refused while a container uses it."""

    reference: str


class ReportAll(Command, frozen=True, kw_only=True):
    """Report the host's facts and its whole inventory again."""


AnyCommand = (
    DeployProject | ProjectAction | RemoveProject | ContainerAction | RemoveImage | ReportAll
)
