"""One project's services and containers, ready for its page."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.hosts.models import Host
from apps.projects.state import Observed
from apps.services.choices import Shown
from apps.services.models import Container
from apps.services.presentation import ContainerView, address_of, view_container

_WORST = ("danger", "busy", "warning", "neutral", "info", "success")
_MISSING = Shown(label="No container", tone="neutral")


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """A service with its containers; ``known`` is false for one that the files do not name."""

    name: str
    image: str
    containers: tuple[ContainerView, ...]
    known: bool
    works: bool

    @property
    def shown(self) -> Shown:
        """The state of its containers in one: the worst first."""
        if not self.containers:
            return _MISSING
        return min((view.shown for view in self.containers), key=_badness)


def list_services(
    host: Host, rows: Iterable[Container], names: Iterable[str], browser_host: str
) -> list[ServiceView]:
    """Return the services of the files, then those that only containers tell of."""
    expected = list(names)
    by_service: dict[str, list[Container]] = {name: [] for name in expected}
    for row in rows:
        by_service.setdefault(row.service or row.name, []).append(row)
    address = address_of(host, browser_host)
    return [
        _service(name, containers, address, known=name in expected)
        for name, containers in by_service.items()
    ]


def _badness(shown: Shown) -> int:
    return _WORST.index(shown.tone)


def _service(name: str, rows: list[Container], address: str, *, known: bool) -> ServiceView:
    return ServiceView(
        name=name,
        image=rows[0].record.image if rows else "",
        containers=tuple(view_container(row, address) for row in rows),
        known=known,
        works=any(_observe(row).works for row in rows),
    )


def _observe(row: Container) -> Observed:
    return Observed(service=row.service, state=row.state, health=row.health)
