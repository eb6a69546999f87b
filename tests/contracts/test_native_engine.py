"""The native engine keeps the contract."""

from collections.abc import Iterator

import pytest

from agents.engines.native.engine import NativeEngine
from tests.contracts.engine_contract import EngineContract
from tests.native_engine import native_engine

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeEngine]:
    with native_engine(tmp_path_factory.mktemp("native")) as engine:
        yield engine


class TestNativeEngine(EngineContract):
    pass
