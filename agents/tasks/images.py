"""Commands about images."""

from agents.protocol.commands import RemoveImage
from agents.tasks.context import Context
from agents.tasks.holdings import reported_holdings
from agents.tasks.operation import Operation


def remove(context: Context, command: RemoveImage, operation: Operation) -> str:
    """Remove an image by reference or id."""
    operation.step(f"Image {command.reference}: remove")
    with reported_holdings(context):
        context.engine.remove_image(command.reference)
    return f"{command.reference} removed"
