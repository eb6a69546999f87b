"""Parts of a host's page that apps above this one add, as the layers forbid asking them.

In the app's ``handlers`` or ``access`` module, or its AppConfig.ready::

    @host_section(order=20)
    def containers(user: User, host: Host) -> HostSection: ...
"""

from collections.abc import Callable
from dataclasses import dataclass

from apps.accounts.models import User
from apps.hosts.models import Host


@dataclass(frozen=True, kw_only=True)
class HostSection:
    """One card; its template is included with ``section`` = ``values``."""

    title: str
    icon: str
    template: str
    values: object


Builder = Callable[[User, Host], HostSection]
_builders: list[tuple[int, Builder]] = []


def host_section(order: int) -> Callable[[Builder], Builder]:
    """Add the decorated function's section to every host's page; lower ``order`` first."""

    def register(builder: Builder) -> Builder:
        _builders.append((order, builder))
        return builder

    return register


def sections_of(user: User, host: Host) -> list[HostSection]:
    """Return the sections of a host's page, in order."""
    ordered = sorted(_builders, key=lambda entry: entry[0])
    return [builder(user, host) for _, builder in ordered]
