"""The registry of engines."""

from pathlib import Path

import pytest

from agents.engines.registry import ENGINES, Place, make_engine, obstacles
from agents.errors import NotFoundError, NotSupportedError

PLACE = Place(root=Path("/nowhere/root"), run=Path("/nowhere/run"), uid="u")


def test_an_engine_is_made_by_its_name() -> None:
    assert make_engine("fake", PLACE).name == "fake"


def test_an_unknown_engine_is_told_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError) as caught:
        make_engine("other", PLACE)
    assert caught.value.hint == "Engines are: fake, native."


def test_each_engine_says_what_is_in_its_way() -> None:
    assert set(obstacles()) == set(ENGINES)
    assert obstacles()["fake"] == ""


def test_an_engine_whose_programs_are_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotSupportedError, match="native engine"):
        make_engine("native", PLACE)
