"""Pulling: what comes, in which forms, and what is refused."""

import os
from pathlib import Path

import pytest

from agents.engines.native.build.builder import Builder
from agents.engines.native.network import Networks
from agents.engines.specs import BuildSpec
from agents.errors import (
    BuildError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    RegistryError,
)
from tests.agents.native.image_files import needs_root
from tests.agents.native.registry.conftest import Shop
from tests.contracts.bench import unique
from tests.registries import Registry
from tests.registry_images import Publisher, layer

pytestmark = [needs_root, pytest.mark.root]


@pytest.mark.parametrize("form", ["oci", "docker"])
@pytest.mark.parametrize("packing", ["gzip", "zstd", "plain"])
def test_every_form_of_image_is_pulled(
    shop: Shop, registry: Registry, publisher: Publisher, form: str, packing: str
) -> None:
    name = unique("forms")
    put = publisher.image(name, "1", [layer("a", b"A"), layer("b")], form=form, packing=packing)
    image = shop.pull(f"{registry.name}/{name}:1")
    assert image.id == put.config
    assert [[one.name for one in path.iterdir()] for path in image.layers] == [["a"], ["b"]]
    assert (image.layers[0] / "a").read_bytes() == b"A"
    assert image.references == (f"{registry.name}/{name}:1",)
    assert shop.states() >= {"waiting", "done"}


def test_what_is_there_is_not_fetched_again(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("again")
    publisher.image(name, "1", [layer("shared"), layer("one")])
    publisher.image(name, "2", [layer("shared"), layer("two")])
    shop.pull(f"{registry.name}/{name}:1")
    shop.pull(f"{registry.name}/{name}:2")
    last = {one.layer: one.state for one in shop.progress}
    assert sorted(last.values()) == ["done", "exists"]
    assert list((shop.root / "images/downloads").iterdir()) == []


def test_an_image_is_pulled_and_found_by_its_digest(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("digest")
    put = publisher.image(name, "1", [layer("a")])
    by_tag = shop.pull(f"{registry.name}/{name}:1")
    by_digest = f"{registry.name}/{name}@{put.manifest}"
    assert by_tag.digests == (by_digest,)
    assert shop.images.find(by_digest).id == by_tag.id
    assert shop.pull(by_digest).references == (f"{registry.name}/{name}:1", by_digest)


def test_a_tag_that_moved_is_taken_from_the_older_image(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("moved")
    publisher.image(name, "1", [layer("old")])
    old = shop.pull(f"{registry.name}/{name}:1")
    publisher.image(name, "1", [layer("new")])
    new = shop.pull(f"{registry.name}/{name}:1")
    assert new.id != old.id
    assert shop.images.find(old.id).references == ()


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_of_an_index_the_asked_platform_is_taken(
    shop: Shop, registry: Registry, publisher: Publisher, form: str
) -> None:
    name = unique("index")
    images = {
        platform: publisher.image(name, platform.replace("/", "-"), [layer(platform)], form=form)
        for platform in ("linux/amd64", "linux/arm64/v8", "linux/arm/v6", "linux/arm/v7")
    }
    index = publisher.index(name, "all", images, form=form)
    reference = f"{registry.name}/{name}:all"
    assert shop.pull(reference).id == images["linux/amd64"].config
    assert shop.pull(reference, "linux/arm64").id == images["linux/arm64/v8"].config
    assert shop.pull(reference, "linux/arm/v7").id == images["linux/arm/v7"].config
    found = shop.pull(f"{registry.name}/{name}@{index}", "linux/arm/v6")
    assert found.id == images["linux/arm/v6"].config
    assert f"{registry.name}/{name}@{index}" in found.digests


def test_a_missing_platform_is_told_with_those_there_are(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("index")
    put = publisher.image(name, "arm", [layer("a")])
    publisher.index(name, "all", {"linux/s390x": put, "linux/arm64": put})
    with pytest.raises(NotSupportedError, match=r"linux/amd64.*: linux/arm64, linux/s390x"):
        shop.pull(f"{registry.name}/{name}:all")


def builder_of(shop: Shop) -> Builder:
    # Its network is not made, as no step runs a command.
    networks = Networks(shop.root, shop.root / "run")
    return Builder(shop.root, shop.images, networks, shop.service.fetch)


def test_a_build_pulls_its_bases(
    shop: Shop, registry: Registry, publisher: Publisher, tmp_path: Path
) -> None:
    name, lines = unique("base"), []
    put = publisher.image(name, "1", [layer("a", b"A")])
    (tmp_path / "Dockerfile").write_text(
        f"FROM {registry.name}/{name}:1\nCOPY --from={registry.name}/{name}:1 a b\n"
    )
    spec = BuildSpec(context=tmp_path, references=("built:1",))
    built = builder_of(shop).build(spec, lines.append)
    assert built.diff_ids[0] == shop.images.find(put.config).diff_ids[0]
    assert (built.layers[1] / "b").read_bytes() == b"A"
    assert lines.count(f"Pull {registry.name}/{name}:1") == 1


def test_a_base_that_cannot_be_pulled_names_its_line(
    shop: Shop, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(f"# first\nFROM {registry.name}/nowhere:1\n")
    spec = BuildSpec(context=tmp_path, references=("built:1",))
    with pytest.raises(BuildError, match="has no nowhere:1") as caught:
        builder_of(shop).build(spec, print)
    assert caught.value.line == 2


def test_a_missing_image_is_not_found(shop: Shop, registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="nowhere:1"):
        shop.pull(f"{registry.name}/nowhere:1")


def test_a_blob_damaged_on_the_registry_is_refused_and_leaves_nothing(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("damaged")
    put = publisher.image(name, "1", [layer("good"), layer("bad", b"x" * 5000)], packing="plain")
    blob = registry.blob(put.blobs[1])
    data = bytearray(blob.read_bytes())
    data[600] ^= 1
    blob.write_bytes(data)
    with pytest.raises(InvalidInputError, match="does not match that digest"):
        shop.pull(f"{registry.name}/{name}:1")
    assert shop.left() == []
    assert shop.images.list() == ()


def test_a_blob_cut_short_on_the_registry_is_refused(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("short")
    put = publisher.image(name, "1", [layer("bad", name.encode() * 500)], packing="plain")
    os.truncate(registry.blob(put.blobs[0]), 2000)
    with pytest.raises((InvalidInputError, RegistryError)):
        shop.pull(f"{registry.name}/{name}:1")
    assert shop.left() == []


def test_a_manifest_damaged_on_the_registry_is_refused(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("damaged")
    put = publisher.image(name, "1", [layer(name)])
    blob = registry.blob(put.manifest)
    blob.write_bytes(blob.read_bytes() + b" ")
    with pytest.raises(InvalidInputError, match="something else"):
        shop.pull(f"{registry.name}/{name}@{put.manifest}")


def test_a_layer_that_unpacks_to_something_else_is_refused(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("lying")
    publisher.image(name, "1", [layer("a")], claims=[layer("b")])
    with pytest.raises(InvalidInputError, match="unpacks to"):
        shop.pull(f"{registry.name}/{name}:1")
    assert shop.left() == []
