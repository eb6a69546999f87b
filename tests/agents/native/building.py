"""A workshop for the tests of builds: a store with a base image, and a context to fill."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.base import Cancelled, never
from agents.engines.native.build.builder import Builder
from agents.engines.native.build.network import remove_left
from agents.engines.native.containers.paths import passages
from agents.engines.native.images import busybox
from agents.engines.native.images.store import ImageStore, StoredImage
from agents.engines.native.network import Networks
from agents.engines.specs import BuildSpec
from agents.linux import mounts


@dataclass(kw_only=True)
class Workshop:
    """Builds Dockerfiles in ``root``; ``lines`` holds what the last build said."""

    root: Path
    store: ImageStore
    networks: Networks
    builder: Builder
    lines: list[str] = field(default_factory=list)

    @property
    def context(self) -> Path:
        return self.root / "context"

    def put(self, name: str, text: str = "") -> Path:
        path = self.context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def build(self, text: str, *, cancelled: Cancelled = never, **fields: object) -> StoredImage:
        self.put("Dockerfile", text)
        self.lines.clear()
        spec = BuildSpec(context=self.context, **{"references": ("built",), **fields})
        return self.builder.build(spec, self.lines.append, cancelled)

    def read(self, image: StoredImage, path: str) -> str:
        """Return a file's text as the topmost layer that has it shows it."""
        for layer in reversed(image.layers):
            if (layer / path).exists():
                return (layer / path).read_text()
        raise FileNotFoundError(path)

    def leftovers(self) -> list[str]:
        """Return the mounts, drafts and networks, of which there should be none."""
        self.builder.close()
        places = (self.root, passages(self.root / "store"))
        mounted = [
            str(one.target)
            for one in mounts.read_mounts()
            if any(one.target.is_relative_to(place) for place in places)
        ]
        drafts = [str(path) for path in (self.root / "store/images/drafts").iterdir()]
        return mounted + drafts + [one.name for one in self.networks.list()]


@contextmanager
def workshop(root: Path) -> Iterator[Workshop]:
    """A workshop with the image ``busybox``. Raises ``NotSupportedError``."""
    (root / "context").mkdir()
    store = ImageStore(root / "store")
    busybox.seed(store, root)
    with adopted_networks(root / "store") as networks:
        builder = Builder(root / "store", store, networks)
        yield Workshop(root=root, store=store, networks=networks, builder=builder)


@contextmanager
def adopted_networks(root: Path) -> Iterator[Networks]:
    """The networks of a place of tests; what builds have left of them is removed."""
    networks = Networks(root, root / "run")
    networks.adopt(())
    try:
        yield networks
    finally:
        remove_left(networks)
        networks.close()


def write_archive(path: Path, names: dict[str, str]) -> None:
    folder = path.parent / "to-pack"
    folder.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        for name, text in names.items():
            (folder / "one").write_text(text)
            tar.add(folder / "one", name)
    (folder / "one").unlink()
    folder.rmdir()
