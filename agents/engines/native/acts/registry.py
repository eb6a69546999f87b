"""Registries: images pulled and pushed, logins."""

from agents.engines.abilities.registries import Credentials, LayerListener, nobody
from agents.engines.base import Cancelled, Engine, never
from agents.engines.native.parts import Parts
from agents.protocol.records import ImageRecord


class RegistryActs(Engine):
    """The engine's part for registries; see :class:`Registries`."""

    _parts: Parts

    def pull_image(
        self,
        reference: str,
        *,
        platform: str = "",
        credentials: Credentials | None = None,
        progress: LayerListener = nobody,
        cancelled: Cancelled = never,
    ) -> ImageRecord:
        """See :meth:`Registries.pull_image`."""
        registries = self._parts.registries
        image = registries.pull(reference, platform, credentials, progress, cancelled)
        self._parts.events.emit("image", "pull", image.id, name=reference)
        return image.record()

    def push_image(
        self,
        reference: str,
        *,
        credentials: Credentials | None = None,
        progress: LayerListener = nobody,
        cancelled: Cancelled = never,
    ) -> str:
        """See :meth:`Registries.push_image`."""
        digest = self._parts.registries.push(reference, credentials, progress, cancelled)
        image = self._parts.images.find(reference)
        self._parts.events.emit("image", "push", image.id, name=reference)
        return digest

    def login(self, registry: str, credentials: Credentials) -> None:
        """See :meth:`Registries.login`."""
        self._parts.registries.login(registry, credentials)

    def logout(self, registry: str) -> None:
        """See :meth:`Registries.logout`."""
        self._parts.registries.logout(registry)

    def logins(self) -> dict[str, str]:
        """See :meth:`Registries.logins`."""
        return self._parts.registries.logins()
