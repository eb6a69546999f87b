"""Commands about one container."""

from agents.protocol.commands import ContainerAction
from agents.tasks.context import Context
from agents.tasks.operation import Operation


def act(context: Context, command: ContainerAction, operation: Operation) -> str:
    """Start, stop, restart, kill or remove a container."""
    engine = context.engine
    record = engine.find_container(command.container_id)
    operation.step(f"Container {record.name}: {command.action}")
    match command.action:
        case "start":
            engine.start_container(record.id)
        case "stop":
            engine.stop_container(record.id)
        case "restart":
            engine.restart_container(record.id)
        case "kill":
            engine.kill_container(record.id)
        case "remove":
            engine.remove_container(record.id, force=True)
    return f"{record.name}: {command.action}"
