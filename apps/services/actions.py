"""What can be done to one container."""

from typing import Literal

from agents.protocol.commands import Command, ContainerAction
from apps.accounts.access import require_team
from apps.accounts.models import User
from apps.operations.actions import request_operation
from apps.operations.models import Operation
from apps.services.models import Container

Action = Literal["start", "stop", "restart", "kill", "remove"]


def act_on_container(
    user: User, container: Container, action: Action, *, ip: str = ""
) -> Operation:
    """Ask the container's host; raises as :func:`apps.accounts.access.require_team`."""
    require_team(user, container.host.team, write=True)

    def command(operation_id: str) -> Command:
        return ContainerAction(
            operation_id=operation_id, container_id=container.container_id, action=action
        )

    return request_operation(
        user,
        host=container.host,
        command_factory=command,
        verb=action,
        target_kind="container",
        target_uid=f"{container.host.uid}/{container.container_id}",
        target_name=container.name,
        team=container.host.team,
        ip=ip,
    )
