"""Pushing: the same digest wherever an image goes, and nothing sent twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.images import busybox
from agents.errors import InvalidInputError, NotFoundError
from tests.agents.native.image_files import file, make_tar, needs_root, write_docker_archive
from tests.agents.native.registry.conftest import Shop, make_shop
from tests.contracts.bench import unique
from tests.cutting_proxy import cutting_proxy
from tests.registries import Registry, running_registry
from tests.registry_images import Publisher, layer

pytestmark = [needs_root, pytest.mark.root]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A second registry, empty at first."""
    with running_registry(tmp_path_factory.mktemp("other")) as registry:
        yield registry


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("form", ["oci", "docker"])
def test_a_pulled_image_keeps_its_digest_at_another_registry(
    shop: Shop, registry: Registry, other: Registry, publisher: Publisher, form: str, packing: str
) -> None:
    name = unique("app")
    put = publisher.image(name, "1", [layer("a"), layer(name)], form=form, packing=packing)
    image = shop.pull(f"{registry.name}/{name}:1")
    shop.images.tag(image.id, f"{other.name}/{name}:1")
    assert shop.push(f"{other.name}/{name}:1") == put.manifest
    assert f"{other.name}/{name}@{put.manifest}" in shop.images.find(image.id).digests


def test_what_was_taken_in_from_an_archive_keeps_its_id(
    shop: Shop, registry: Registry, tmp_path: Path
) -> None:
    name = f"{registry.name}/{unique('app')}:1"
    layers = [layer("a", b"x" * 100_000), make_tar([file("z"), file("a", b"once"), file("b")])]
    archive = write_docker_archive(tmp_path / "saved.tar", layers, [name])
    image = shop.images.import_archive(archive)
    first = shop.push(name)
    fresh = make_shop(tmp_path / "fresh").pull(name)
    assert (fresh.id, fresh.diff_ids) == (image.id, image.diff_ids)
    assert shop.push(name) == first
    assert shop.states() == {"checking", "exists"}


def test_layers_of_another_repository_are_mounted_not_sent(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name, to = unique("app"), unique("copy")
    publisher.image(name, "1", [layer(name)])
    image = shop.pull(f"{registry.name}/{name}:1")
    shop.images.tag(image.id, f"{registry.name}/{to}:1")
    shop.push(f"{registry.name}/{to}:1")
    assert shop.states() == {"checking", "mounted"}


def test_a_broken_upload_is_sent_again(shop: Shop, registry: Registry, tmp_path: Path) -> None:
    archive = tmp_path / "rootfs.tar"
    archive.write_bytes(busybox.make_rootfs(busybox.PROGRAM))
    with cutting_proxy(registry.name) as proxy:
        name = f"{proxy.name}/{unique('app')}:1"
        image = shop.images.import_archive(archive, name)
        proxy.cuts = [1000, 300]
        shop.push(name)
        assert proxy.cuts == []
        assert make_shop(tmp_path / "fresh").pull(name).id == image.id


def test_a_digest_cannot_be_pushed(shop: Shop) -> None:
    with pytest.raises(InvalidInputError, match="digest"):
        shop.push(f"localhost:1/app@sha256:{'0' * 64}")


def test_what_is_not_here_cannot_be_pushed(shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        shop.push("localhost:1/app:1")


def test_compressed_layers_are_not_kept_if_that_is_set(
    shop: Shop, registry: Registry, other: Registry, publisher: Publisher
) -> None:
    name = unique("app")
    put = publisher.image(name, "1", [layer(name)])
    shop.settings("keep_compressed = false\n")
    image = shop.pull(f"{registry.name}/{name}:1")
    assert shop.images.originals.blob(put.blobs[0]) is None
    assert shop.push(f"{registry.name}/{name}:1") == put.manifest
    shop.images.tag(image.id, f"{other.name}/{name}:1")
    assert shop.push(f"{other.name}/{name}:1") != put.manifest
    assert shop.pull(f"{other.name}/{name}:1").id == image.id


def test_what_came_is_kept_for_as_long_as_its_image(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("app")
    put = publisher.image(name, "1", [layer(name)])
    image = shop.pull(f"{registry.name}/{name}:1")
    assert shop.images.originals.blob(put.blobs[0]) is not None
    shop.images.repair()
    assert shop.images.originals.manifest(put.manifest) is not None
    shop.images.remove(image.id)
    assert shop.images.originals.blob(put.blobs[0]) is None
    assert shop.images.originals.manifest(put.manifest) is None
