"""Places for native engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from tests.native_engine import NativeHome, native_engine, native_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[NativeHome]:
    with native_home(tmp_path) as home:
        yield home


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeEngine]:
    with native_engine(tmp_path_factory.mktemp("native")) as engine:
        yield engine
