"""The operations on a host's page."""

from apps.accounts.models import User
from apps.hosts.models import Host
from apps.hosts.sections import HostSection, host_section
from apps.operations.access import operations_for
from apps.operations.summaries import operation_rows

SHOWN = 10


@host_section(order=90)
def recent_operations(user: User, host: Host) -> HostSection:
    """The newest operations on the host."""
    rows = operation_rows(operations_for(user).filter(host=host)[:SHOWN])
    return HostSection(
        title="Operations",
        icon="operations",
        template="operations/_table.html",
        values=rows,
    )
