"""A registry in memory, which knows what was pushed to it."""

import threading

import msgspec

from agents.engines.abilities.registries import (
    Credentials,
    LayerListener,
    LayerProgress,
    nobody,
)
from agents.engines.base import Cancelled, Engine, never
from agents.engines.fake.images import FakeImage, Images, with_tag
from agents.errors import CancelledError, NotFoundError
from agents.protocol.records import ImageRecord


class FakeRegistries(Engine):
    """The fake engine's part for registries; see :class:`Registries`.

    All registries are one, ``remote``: images by the names they were pushed under. It takes
    every login.
    """

    _images: Images
    _lock: threading.RLock
    remote: dict[str, FakeImage]
    _logins: dict[str, str]

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
        name = with_tag(reference)
        image = self.remote.get(name)
        if image is None:
            raise NotFoundError(f"the registry has no {name}", field="image")
        self._pretend(image, progress, cancelled)
        with self._lock:
            self._images.put(image)
            return self._images.tag(image.record.id, name)

    def push_image(
        self,
        reference: str,
        *,
        credentials: Credentials | None = None,
        progress: LayerListener = nobody,
        cancelled: Cancelled = never,
    ) -> str:
        """See :meth:`Registries.push_image`."""
        with self._lock:
            image = self._images.find(reference)
        self._pretend(image, progress, cancelled)
        name = with_tag(reference)
        digest = image.record.id
        called = f"{name.rpartition(':')[0]}@{digest}"
        remote = msgspec.structs.replace(image.record, references=(), digests=(called,))
        self.remote[name] = self.remote[called] = FakeImage(record=remote, command=image.command)
        return digest

    def login(self, registry: str, credentials: Credentials) -> None:
        """See :meth:`Registries.login`."""
        self._logins[registry] = credentials.username

    def logout(self, registry: str) -> None:
        """See :meth:`Registries.logout`."""
        self._logins.pop(registry, None)

    def logins(self) -> dict[str, str]:
        """See :meth:`Registries.logins`."""
        return dict(self._logins)

    def _pretend(self, image: FakeImage, progress: LayerListener, cancelled: Cancelled) -> None:
        size = image.record.size
        progress(LayerProgress(layer=image.record.id, state="waiting", total=size))
        if cancelled():
            raise CancelledError("the transfer was cancelled")
        progress(LayerProgress(layer=image.record.id, state="done", done=size, total=size))
