"""Steps whose inputs are the same are not done again."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import BuildError, NotSupportedError
from tests.agents.native.building import Workshop, workshop
from tests.agents.native.image_files import needs_root

pytestmark = [pytest.mark.root, needs_root]

CACHED = " ---> Using cache"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    try:
        with workshop(tmp_path) as made:
            yield made
    except NotSupportedError as exc:
        pytest.skip(exc.message)


def test_the_same_build_gives_the_same_image_at_once(shop: Workshop) -> None:
    shop.put("a", "1")
    text = "FROM busybox\nENV A=1\nRUN cat /proc/uptime > /when\nCOPY a /\n"
    first = shop.build(text)
    assert CACHED not in shop.lines
    assert shop.build(text).id == first.id
    assert shop.lines.count(CACHED) == 3


def test_times_and_names_outside_do_not_count(shop: Workshop) -> None:
    path = shop.put("a", "1")
    first = shop.build("FROM scratch\nCOPY a /\n")
    os.utime(path, (1, 1))
    shop.put("b", "new")
    assert shop.build("FROM scratch\nCOPY a /\n").id == first.id


@pytest.mark.parametrize("change", ["content", "mode", "name", "kind"])
def test_a_changed_file_is_copied_again(shop: Workshop, change: str) -> None:
    path = shop.put("d/a", "1")
    first = shop.build("FROM scratch\nCOPY d /\n")
    if change == "content":
        path.write_text("2")
    elif change == "mode":
        path.chmod(0o600)
    elif change == "name":
        path.rename(path.with_name("b"))
    else:
        path.unlink()
        path.symlink_to("x")
    second = shop.build("FROM scratch\nCOPY d /\n")
    assert second.diff_ids != first.diff_ids


def test_all_steps_after_a_changed_one_are_done_again(shop: Workshop) -> None:
    shop.put("a", "1")
    shop.build("FROM busybox\nCOPY a /\nRUN cat /a > /b\n")
    shop.put("a", "2")
    image = shop.build("FROM busybox\nCOPY a /\nRUN cat /a > /b\n")
    assert CACHED not in shop.lines
    assert shop.read(image, "b") == "2"


def test_build_arguments_count_where_they_are_declared(shop: Workshop) -> None:
    text = "FROM busybox\nRUN echo before > /x\nARG A\nRUN echo $A > /a\n"
    shop.build(text, arguments={"A": "1"})
    image = shop.build(text, arguments={"A": "2"})
    assert shop.read(image, "a") == "2\n"
    assert shop.lines.count(CACHED) >= 1


def test_the_cache_can_be_left_aside(shop: Workshop) -> None:
    text = "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /a\n"
    first = shop.build(text)
    assert shop.build(text, use_cache=False).diff_ids != first.diff_ids
    assert CACHED not in shop.lines


def test_steps_before_a_failing_one_are_remembered(shop: Workshop) -> None:
    for _ in range(2):
        with pytest.raises(BuildError):
            shop.build("FROM busybox\nRUN touch /a\nRUN false\n")
    assert CACHED in shop.lines


def test_a_removed_image_takes_its_steps_out_of_the_cache(shop: Workshop) -> None:
    text = "FROM busybox\nRUN touch /a\n"
    shop.build(text)
    shop.store.remove("built")
    assert len(list((shop.root / "store/images/layers").iterdir())) == 1
    shop.build(text)
    assert CACHED not in shop.lines


def test_steps_that_nobody_uses_can_be_forgotten(shop: Workshop) -> None:
    with pytest.raises(BuildError):
        shop.build("FROM busybox\nRUN touch /a\nRUN false\n")
    shop.store.prune_cache(unused_for=3600)
    assert len(list((shop.root / "store/images/layers").iterdir())) == 2
    shop.store.prune_cache(unused_for=-1)
    assert len(list((shop.root / "store/images/layers").iterdir())) == 1


def test_the_steps_used_last_stay_within_a_bound(shop: Workshop) -> None:
    with pytest.raises(BuildError):
        shop.build("FROM busybox\nRUN head -c 100000 /dev/zero > /a\nRUN false\n")
    with pytest.raises(BuildError):
        shop.build("FROM busybox\nRUN head -c 100000 /dev/zero > /b\nRUN false\n")
    assert len(shop.store.prune_cache(0.0, keep=150_000).removed) == 1
    assert len(list((shop.root / "store/images/layers").iterdir())) == 2
    assert shop.store.prune_cache(0.0).freed >= 100_000
