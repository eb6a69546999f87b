"""What one pull or push works with: settings, connections, and an end."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agents.engines.abilities.registries import Credentials
from agents.engines.base import Cancelled
from agents.engines.native.images.references import Reference
from agents.engines.native.registry.client import Client
from agents.engines.native.registry.logins import Logins
from agents.engines.native.registry.settings import Endpoint, Places
from agents.engines.native.registry.stopping import Stop
from agents.engines.native.registry.transport import Transport

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Session:
    """One exchange with a registry, for one image's name."""

    name: Reference
    places: Places
    transport: Transport
    stop: Stop
    logins: Logins
    given: Credentials | None

    def pulling(self) -> list[Client]:
        """Return the repository at each place to pull it from, in order."""
        return [
            Client(self.transport, one, self.name.path, self._credentials(one))
            for one in self.places.endpoints(self.name.domain)
        ]

    def pushing(self, also: str = "") -> Client:
        """Return the repository to push to, with the right to read ``also``."""
        place = self.places.origin(self.name.domain)
        credentials = self._credentials(place)
        path = self.name.path
        return Client(self.transport, place, path, credentials, doing="push", also=also)

    def each(self, items: Iterable[Item], act: Callable[[Item], None]) -> None:
        """Act on some at once; the first error ends the others and is raised."""
        most = self.places.settings.parallel
        with ThreadPoolExecutor(most, thread_name_prefix="registry") as pool:
            futures = [pool.submit(act, item) for item in items]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
                error = _first_error(futures)
                if error is not None:
                    raise error
            except BaseException:
                self.stop.stop()
                pool.shutdown(cancel_futures=True)
                raise

    def _credentials(self, place: Endpoint) -> Credentials | None:
        is_origin = place.registry == self.name.domain
        if is_origin and self.given is not None:
            return self.given
        return self.logins.find(place.registry)


@contextmanager
def exchange(
    root: Path, name: Reference, logins: Logins, given: Credentials | None, cancelled: Cancelled
) -> Iterator[Session]:
    """Open a session; at the end its connections are closed."""
    places = Places(root)
    transport = Transport(places)
    try:
        with Stop(cancelled, transport.interrupt) as stop:
            stop.check()
            yield Session(
                name=name,
                places=places,
                transport=transport,
                stop=stop,
                logins=logins,
                given=given,
            )
    finally:
        transport.close()


def _first_error(futures: Iterable[Future[None]]) -> BaseException | None:
    errors = (one.exception() for one in futures if one.done() and not one.cancelled())
    return next((error for error in errors if error is not None), None)
