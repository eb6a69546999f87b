"""One plain registry for all tests here, and a store for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.engines.abilities.registries import Credentials, LayerProgress
from agents.engines.base import Cancelled, never
from agents.engines.native.images.store import ImageStore
from agents.engines.native.images.stored import StoredImage
from agents.engines.native.registry.service import RegistryService
from tests.registries import Registry, running_registry
from tests.registry_images import Publisher


@dataclass
class Shop:
    """A store with what pulls into it. ``progress`` is all that was told of the last act."""

    root: Path
    images: ImageStore
    service: RegistryService
    progress: list[LayerProgress]

    def pull(
        self,
        reference: str,
        platform: str = "",
        credentials: Credentials | None = None,
        cancelled: Cancelled = never,
    ) -> StoredImage:
        self.progress.clear()
        return self.service.pull(reference, platform, credentials, self.progress.append, cancelled)

    def push(self, reference: str, credentials: Credentials | None = None) -> str:
        self.progress.clear()
        return self.service.push(reference, credentials, self.progress.append, never)

    def states(self) -> set[str]:
        return {one.state for one in self.progress}

    def settings(self, text: str) -> None:
        (self.root / "registries.toml").write_text(text)

    def downloads(self) -> list[int]:
        """Return the sizes of what was downloaded for images that are not there yet."""
        return [path.stat().st_size for path in (self.root / "images/downloads").iterdir()]

    def left(self) -> list[str]:
        """Return the names of drafts and layers that are there."""
        folders = (self.root / "images/drafts", self.root / "images/layers")
        return [path.name for folder in folders for path in folder.iterdir()]


def make_shop(root: Path) -> Shop:
    root.mkdir(exist_ok=True)
    images = ImageStore(root)
    return Shop(root, images, RegistryService(root, images), [])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "engine")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def publisher(registry: Registry) -> Publisher:
    return Publisher(registry)
