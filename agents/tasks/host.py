"""Commands about the host as a whole."""

from agents.protocol.commands import ReportAll
from agents.tasks.context import Context
from agents.tasks.operation import Operation


def report_all(context: Context, command: ReportAll, operation: Operation) -> str:
    """Report the host's facts and its whole inventory again."""
    operation.step("Report everything that this host holds")
    context.report_all()
    return "reported"
