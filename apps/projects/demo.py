"""The demo project that a new panel runs on its own machine."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from apps.accounts.setup import first_team
from apps.core.errors import PanelError, UnavailableError
from apps.hosts.models import Host, HostState
from apps.operations.models import Operation, OperationState
from apps.projects.actions import DeployOptions, FilesAndVariables, create_project, deploy_project
from apps.projects.models import Project
from apps.projects.starters import read_folder

NAME = "demo"
FOLDER = Path(__file__).resolve().parent.parent.parent / "demo"

_LOOK_SECONDS = 0.1
FoundT = TypeVar("FoundT")


class DemoFailedError(PanelError):
    """The demo was sent to the host, and did not come up."""

    code = "demo_failed"
    status = 500


def seed_demo(seconds: float) -> Project:
    """Deploy the demo to the first team's first host and wait until it runs. Blocks.

    Does nothing for a host that has, or had, a project of that name. Raises
    :class:`UnavailableError` when the host does not come online, or the demo up, within
    ``seconds``, :class:`DemoFailedError` when it fails.
    """
    deadline = time.monotonic() + seconds
    host = _wait(_find_host, deadline, "No host came online")
    known = Project.objects.filter(host=host, name=NAME).first()
    if known is not None:
        return known
    content = FilesAndVariables(files=read_folder(FOLDER))
    project = create_project(None, team=host.team, host=host, name=NAME, content=content)
    revision = deploy_project(None, project, content, DeployOptions(note="Set up with the panel"))
    operation = revision.operation
    if operation is None:
        raise DemoFailedError("The demo was not sent.")
    ended = _wait(lambda: _find_ended(operation), deadline, "The demo did not come up")
    _raise_failure(ended)
    return project


def _find_host() -> Host | None:
    """The team's oldest host that is online: the machine of the panel itself."""
    hosts = Host.objects.select_related("team").filter(team=first_team(), state=HostState.ONLINE)
    return hosts.order_by("pk").first()


def _find_ended(operation: Operation) -> Operation | None:
    operation.refresh_from_db()
    return operation if operation.has_ended else None


def _wait(look: Callable[[], FoundT | None], deadline: float, sentence: str) -> FoundT:
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"{sentence} in time.", hint="See `make status` and `make logs`."
            )
        time.sleep(_LOOK_SECONDS)


def _raise_failure(operation: Operation) -> None:
    if operation.state == OperationState.SUCCEEDED:
        return
    first = next(iter(operation.errors), None)
    why = first.message if first else operation.state_choice.label
    raise DemoFailedError(
        f"The demo project did not come up: {why}", hint=first.hint if first else ""
    )
