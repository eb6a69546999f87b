"""Commands about images."""

from agents.protocol.commands import RemoveImage
from agents.tasks.context import Context
from agents.tasks.operation import Operation
from agents.tasks.projects import report_images


def remove(context: Context, command: RemoveImage, operation: Operation) -> str:
    """Remove an image by reference or id."""
    operation.step(f"Image {command.reference}: remove")
    context.engine.remove_image(command.reference)
    report_images(context)
    return f"{command.reference} removed"
