"""What the engine does with registries, as one object."""

from pathlib import Path

from agents.engines.abilities.registries import Credentials, LayerListener
from agents.engines.base import Cancelled
from agents.engines.native.images.references import normalise
from agents.engines.native.images.store import ImageStore
from agents.engines.native.images.stored import StoredImage
from agents.engines.native.registry.client import Client
from agents.engines.native.registry.logins import Logins, registry_name
from agents.engines.native.registry.platforms import parse_platform
from agents.engines.native.registry.pull import Pull
from agents.engines.native.registry.push import Push
from agents.engines.native.registry.session import exchange
from agents.engines.native.registry.settings import Places
from agents.engines.native.registry.transport import Transport
from agents.errors import InvalidInputError


class RegistryService:
    """Pulls into and pushes from ``images``; settings and logins are below ``root``.

    For what the methods do and raise, see :class:`agents.engines.abilities.registries.Registries`.
    """

    def __init__(self, root: Path, images: ImageStore) -> None:
        self._root = root
        self._images = images
        self._logins = Logins(root)

    def pull(
        self,
        reference: str,
        platform: str,
        credentials: Credentials | None,
        listener: LayerListener,
        cancelled: Cancelled,
    ) -> StoredImage:
        """Fetch an image."""
        name, wanted = normalise(reference), parse_platform(platform)
        with exchange(self._root, name, self._logins, credentials, cancelled) as session:
            return Pull(self._images, session, listener).run(wanted)

    def fetch(self, reference: str, listener: LayerListener, cancelled: Cancelled) -> StoredImage:
        """Fetch an image for this machine, with the login that is kept."""
        return self.pull(reference, "", None, listener, cancelled)

    def push(
        self,
        reference: str,
        credentials: Credentials | None,
        listener: LayerListener,
        cancelled: Cancelled,
    ) -> str:
        """Send an image; return its manifest's digest."""
        name = normalise(reference)
        if name.digest:
            raise InvalidInputError(
                f"{reference!r} has a digest, under which nothing can be pushed.",
                hint="Give the image a name with a tag.",
                field="image",
            )
        image = self._images.find(reference)
        with exchange(self._root, name, self._logins, credentials, cancelled) as session:
            return Push(self._images, session, listener).run(image)

    def login(self, registry: str, credentials: Credentials) -> None:
        """Try credentials, and keep them."""
        if not credentials.username or ":" in credentials.username:
            raise InvalidInputError("A username is not empty and has no colon.", field="username")
        name = registry_name(registry)
        places = Places(self._root)
        transport = Transport(places)
        try:
            Client(transport, places.origin(name), "", credentials).check()
        finally:
            transport.close()
        self._logins.put(name, credentials)

    def logout(self, registry: str) -> None:
        """Forget credentials."""
        self._logins.remove(registry_name(registry))

    def logins(self) -> dict[str, str]:
        """Return the username by registry."""
        return self._logins.all()
