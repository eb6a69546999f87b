"""The fake engine keeps the contract."""

from collections.abc import Iterator

import pytest

from agents.engines.fake import FakeEngine
from tests.contracts.engine_contract import EngineContract


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    engine = FakeEngine()
    engine.start()
    yield engine
    engine.close()


class TestFakeEngine(EngineContract):
    pass
