"""Contract of the optional protocol ``KeepsImages``."""

import tarfile
from pathlib import Path

import pytest

from agents.engines.abilities.images import KeepsImages
from agents.engines.specs import PruneSpec
from agents.errors import InvalidInputError, NotFoundError
from agents.protocol.records import ImageRecord
from tests.contracts.bench import Bench, unique


class KeepingContract:
    @pytest.fixture
    def keeper(self, bench: Bench) -> KeepsImages:
        if not isinstance(bench.engine, KeepsImages):
            pytest.skip(f"the {bench.engine.name} engine does not keep images")
        return bench.engine

    def test_a_tag_is_one_more_name(self, bench: Bench, keeper: KeepsImages) -> None:
        name = f"{unique('tag')}:2"
        image = keeper.tag_image(bench.image, name)
        assert keeper.tag_image(bench.image, name) == image
        assert name in bench.engine.find_image(bench.image).references
        bench.engine.remove_image(name)
        assert bench.engine.find_image(bench.image).id == image.id

    def test_a_bad_tag_is_refused(self, bench: Bench, keeper: KeepsImages) -> None:
        with pytest.raises(InvalidInputError):
            keeper.tag_image(bench.image, "Not A Name")
        with pytest.raises(NotFoundError):
            keeper.tag_image("nowhere:1", "somewhere:1")

    def test_a_history_ends_with_the_image(self, bench: Bench, keeper: KeepsImages) -> None:
        rows = keeper.image_history(bench.image)
        assert rows[0].id == bench.engine.find_image(bench.image).id
        assert sum(row.size for row in rows) == bench.engine.find_image(bench.image).size

    def test_an_inspection_tells_names_layers_and_users(
        self, bench: Bench, keeper: KeepsImages
    ) -> None:
        container = bench.create()
        details = keeper.inspect_image(bench.image)
        image = bench.engine.find_image(bench.image)
        assert (details.id, details.references) == (image.id, image.references)
        assert sum(layer.size for layer in details.layers) == details.size == image.size
        assert container.id in details.containers

    def test_pruning_takes_what_has_no_name(self, bench: Bench, keeper: KeepsImages) -> None:
        old = make_unnamed(bench, keeper)
        pruned = keeper.prune_images()
        assert old.id in pruned.removed
        assert pruned.freed > 0
        with pytest.raises(NotFoundError):
            bench.engine.find_image(old.id)
        assert bench.engine.find_image(bench.image)

    def test_pruning_leaves_what_a_stopped_container_uses(
        self, bench: Bench, keeper: KeepsImages
    ) -> None:
        name = f"{unique('used')}:1"
        old = bench.engine.import_image(distinct(bench), name)
        container = bench.run_to_end("exit 0", image=name)
        keeper.tag_image(bench.image, name)
        assert old.id not in keeper.prune_images().removed
        bench.engine.remove_container(container.id)
        assert old.id in keeper.prune_images().removed

    def test_pruning_spares_what_is_too_new(self, bench: Bench, keeper: KeepsImages) -> None:
        old = make_unnamed(bench, keeper)
        assert old.id not in keeper.prune_images(PruneSpec(until=1.0)).removed
        assert old.id not in keeper.prune_images(PruneSpec(labels=("nobody=here",))).removed
        assert old.id in keeper.prune_images(PruneSpec(without_labels=("nobody",))).removed

    def test_pruning_all_takes_names_too(self, bench: Bench, keeper: KeepsImages) -> None:
        name = f"{unique('named')}:1"
        image = bench.engine.import_image(distinct(bench), name)
        bench.create()
        assert image.id not in keeper.prune_images().removed
        assert image.id in keeper.prune_images(PruneSpec(all=True)).removed
        assert bench.engine.find_image(bench.image)


def distinct(bench: Bench) -> Path:
    """Return an archive like the bench's that gives another image."""
    path = bench.archive.with_name(f"{unique('distinct')}.tar")
    with tarfile.open(path, "w") as tar:
        with tarfile.open(bench.archive) as source:
            for member in source:
                content = source.extractfile(member) if member.isreg() else None
                tar.addfile(member, content)
        tar.addfile(tarfile.TarInfo(path.name))
    return path


def make_unnamed(bench: Bench, keeper: KeepsImages) -> ImageRecord:
    """Return an image whose one name another image has taken."""
    name = f"{unique('old')}:1"
    old = bench.engine.import_image(distinct(bench), name)
    keeper.tag_image(bench.image, name)
    return old
