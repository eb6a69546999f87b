"""Optional: an engine that exchanges images with registries.

A registry is a server of the OCI distribution specification. Its name is ``host`` or
``host:port``, as images' names begin.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from agents.config import Secret
from agents.engines.base import Cancelled, never
from agents.protocol.records import ImageRecord

LayerState = Literal[
    "waiting", "downloading", "extracting", "checking", "uploading", "mounted", "exists", "done"
]


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who somebody is to a registry. ``password`` may be an access token."""

    username: str
    password: Secret


@dataclass(frozen=True, kw_only=True)
class LayerProgress:
    """How far one layer is; ``done`` and ``total`` are bytes as they travel (compressed).

    ``layer`` is its digest at the registry. ``exists`` means that it was there already,
    ``mounted`` that the registry took it from another of its repositories.
    """

    layer: str
    state: LayerState
    done: int = 0
    total: int = 0


LayerListener = Callable[[LayerProgress], None]


def nobody(_progress: LayerProgress) -> None:
    """Listen to no progress."""


@runtime_checkable
class Registries(Protocol):
    """An engine that pulls and pushes images.

    ``credentials`` are for this one call; without them those of :meth:`login` are used.
    ``progress`` is called from the engine's threads, never twice at once: at each change of
    a layer's state, and some times a second in between.

    Besides what the methods say they raise ``RegistryError`` (it cannot be reached, or
    does not answer as a registry) and ``AccessDeniedError`` (it wants another login).
    """

    def pull_image(
        self,
        reference: str,
        *,
        platform: str = "",
        credentials: Credentials | None = None,
        progress: LayerListener = nobody,
        cancelled: Cancelled = never,
    ) -> ImageRecord:
        """Fetch an image by tag or digest and give it that name. Idempotent; blocks for long.

        ``platform`` is ``os/architecture[/variant]``, by default this host's. What was
        fetched before a failure is not fetched again.

        Raises ``NotFoundError``, ``InvalidInputError`` (a bad name, or content that does not
        match its digest), ``NotSupportedError`` (no image for the platform), ``CancelledError``.
        """
        ...

    def push_image(
        self,
        reference: str,
        *,
        credentials: Credentials | None = None,
        progress: LayerListener = nobody,
        cancelled: Cancelled = never,
    ) -> str:
        """Send the image of that name to the registry in it; return the manifest's digest.

        Layers that are there already are not sent again. Idempotent; blocks for long.

        Raises ``NotFoundError`` (no such image here), ``InvalidInputError``, ``CancelledError``.
        """
        ...

    def login(self, registry: str, credentials: Credentials) -> None:
        """Try credentials at a registry, and keep them if it takes them."""
        ...

    def logout(self, registry: str) -> None:
        """Forget the credentials for a registry. Idempotent."""
        ...

    def logins(self) -> dict[str, str]:
        """Return the username by registry, for those that there are credentials for."""
        ...
