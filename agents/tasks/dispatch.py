"""From a command to the function that does it, and to the lane it runs in."""

from agents.compose.labels import PROJECT
from agents.errors import AgentError, NotSupportedError
from agents.protocol.commands import (
    AnyCommand,
    ContainerAction,
    DeployProject,
    ProjectAction,
    RemoveImage,
    RemoveProject,
    ReportAll,
)
from agents.tasks import containers, host, images, projects
from agents.tasks.context import Context
from agents.tasks.operation import Operation


class Dispatcher:
    """Knows what does what; holds nothing of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def perform(self, command: AnyCommand, operation: Operation) -> str:
        """Carry out a command and return its summary; blocks as long as it takes."""
        match command:
            case DeployProject():
                return projects.deploy(self._context, command, operation)
            case ProjectAction():
                return projects.act(self._context, command, operation)
            case RemoveProject():
                return projects.remove(self._context, command, operation)
            case ContainerAction():
                return containers.act(self._context, command, operation)
            case RemoveImage():
                return images.remove(self._context, command, operation)
            case ReportAll():
                return host.report_all(self._context, command, operation)
        raise NotSupportedError(f"this agent does not know {type(command).__name__}")

    def lane_of(self, command: AnyCommand) -> str:
        """Return what this command must not share with another one at the same time."""
        match command:
            case DeployProject() | ProjectAction() | RemoveProject():
                return f"project:{command.project}"
            case ContainerAction():
                return self._lane_of_container(command.container_id)
            case RemoveImage():
                return "images"
        return "host"

    def _lane_of_container(self, container_id: str) -> str:
        try:
            record = self._context.engine.find_container(container_id)
        except AgentError:
            return f"container:{container_id}"
        project = record.labels.get(PROJECT)
        return f"project:{project}" if project else f"container:{record.id}"
