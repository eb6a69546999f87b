"""Broken connections, cancelling and mirrors."""

import os
from collections.abc import Iterator

import pytest

from agents.errors import CancelledError, InvalidInputError, NotFoundError, RegistryError
from tests.agents.native.image_files import needs_root
from tests.agents.native.registry.conftest import Shop
from tests.contracts.bench import unique
from tests.cutting_proxy import CuttingProxy, cutting_proxy
from tests.redis_server import free_port
from tests.registries import Registry
from tests.registry_images import Publisher, Put, layer

pytestmark = [needs_root, pytest.mark.root]

BIG = 3 << 20


@pytest.fixture
def proxy(registry: Registry) -> Iterator[CuttingProxy]:
    with cutting_proxy(registry.name) as proxy:
        yield proxy


def put_big(publisher: Publisher, name: str) -> Put:
    """Put an image with one layer of 3 MB that does not get smaller."""
    return publisher.image(name, "1", [layer("big", os.urandom(BIG))])


def test_a_broken_connection_is_resumed_where_it_broke(
    shop: Shop, registry: Registry, publisher: Publisher, proxy: CuttingProxy
) -> None:
    name = unique("cut")
    put = put_big(publisher, name)
    # The first connection finds out that there is no TLS.
    proxy.cuts = [1000, 1_000_000, 1_000_000]
    image = shop.pull(f"{proxy.name}/{name}:1")
    assert (image.layers[0] / "big").stat().st_size == BIG
    assert proxy.passed < BIG * 1.1
    asked = [line for line in registry.log().splitlines() if put.blobs[0] in line]
    assert sum('"http.response.status":206' in line for line in asked) == 2


def test_what_an_earlier_pull_got_is_not_fetched_again(
    shop: Shop, publisher: Publisher, proxy: CuttingProxy
) -> None:
    name = unique("cut")
    put_big(publisher, name)
    proxy.held_after = 2_000_000
    with pytest.raises(CancelledError):
        shop.pull(f"{proxy.name}/{name}:1", cancelled=lambda: sum(shop.downloads()) > 1_500_000)
    assert shop.left() == []
    assert 1_500_000 < shop.downloads()[0] < BIG
    proxy.gate.set()
    proxy.passed = 0
    shop.pull(f"{proxy.name}/{name}:1")
    assert proxy.passed < BIG - 1_000_000
    assert shop.downloads() == []


def test_an_earlier_part_that_went_bad_is_fetched_anew(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name = unique("bad")
    put = put_big(publisher, name)
    shop.images.originals.download(put.blobs[0]).write_bytes(b"x" * 1_000_000)
    image = shop.pull(f"{registry.name}/{name}:1")
    assert (image.layers[0] / "big").stat().st_size == BIG


def test_a_pull_is_cancelled_at_once_though_nothing_comes(
    shop: Shop, publisher: Publisher, proxy: CuttingProxy
) -> None:
    name = unique("stuck")
    put_big(publisher, name)
    proxy.held_after = 100_000
    with pytest.raises(CancelledError):
        shop.pull(f"{proxy.name}/{name}:1", cancelled=lambda: bool(shop.progress))
    assert shop.left() == []


def test_a_registry_that_breaks_each_time_is_given_up(
    shop: Shop, publisher: Publisher, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.engines.native.registry.download.FIRST_PAUSE", 0.001)
    name = unique("cut")
    put_big(publisher, name)
    proxy.cuts = [1000, 5000, *([100] * 20)]
    with pytest.raises(RegistryError, match="broke|cannot be reached|sends nothing"):
        shop.pull(f"{proxy.name}/{name}:1")
    assert shop.left() == []


def test_a_mirror_is_asked_first_and_the_registry_never(
    shop: Shop, registry: Registry, publisher: Publisher
) -> None:
    name, nowhere = unique("mirrored"), f"127.0.0.1:{free_port()}"
    publisher.image(name, "1", [layer("a")])
    shop.settings(f'[registry."{nowhere}"]\nmirrors = ["http://{registry.name}"]\n')
    assert shop.pull(f"{nowhere}/{name}:1").references == (f"{nowhere}/{name}:1",)


def test_a_mirror_that_is_down_or_has_nothing_is_passed_over(
    shop: Shop, registry: Registry, publisher: Publisher, proxy: CuttingProxy
) -> None:
    name = unique("mirrored")
    publisher.image(name, "1", [layer("a")])
    down = f"127.0.0.1:{free_port()}"
    mirrors = [f"http://{down}", f"http://{proxy.name}/elsewhere"]
    shop.settings(f'[registry."{registry.name}"]\nmirrors = {mirrors}\n')
    assert shop.pull(f"{registry.name}/{name}:1")
    with pytest.raises(NotFoundError):
        shop.pull(f"{registry.name}/nowhere:1")


def test_a_mirror_that_dies_meanwhile_is_left_for_the_registry(
    shop: Shop,
    registry: Registry,
    publisher: Publisher,
    proxy: CuttingProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.engines.native.registry.download.FIRST_PAUSE", 0.001)
    name = unique("mirrored")
    put_big(publisher, name)
    proxy.cuts = [1_000_000, *([100] * 50)]
    shop.settings(f'[registry."{registry.name}"]\nmirrors = ["http://{proxy.name}"]\n')
    image = shop.pull(f"{registry.name}/{name}:1")
    assert (image.layers[0] / "big").stat().st_size == BIG


@pytest.mark.parametrize(
    "text",
    [
        "paralel = 3",
        "parallel = 0",
        "parallel = 'x'",
        "[registry.'a:1']\nmirrors = ['http://far.example']",
        "[registry.'a:1']\nmirrors = ['ftp://x']",
        "[registry.'a:1']\nca_file = '/nowhere'",
        "][",
    ],
)
def test_settings_that_are_wrong_are_told_with_their_file(shop: Shop, text: str) -> None:
    shop.settings(text)
    with pytest.raises(InvalidInputError) as caught:
        shop.pull("a/b:1" if "registry" not in text else "a:1/b:1")
    assert caught.value.file.endswith("registries.toml")
