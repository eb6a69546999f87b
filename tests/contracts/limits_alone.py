"""The contract of limits alone, for machines that have cgroups and little else.

No file of tests by its name: a guest is told to run it (tests/agents/native/test_layouts.py).
"""

from collections.abc import Iterator

import pytest

from agents.engines.native.engine import NativeEngine
from tests.contracts.engine_contract import EngineContract
from tests.contracts.limits import LimitContract, PauseContract, UpdateContract
from tests.contracts.stats import StatsContract
from tests.native_engine import native_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeEngine]:
    with native_engine(tmp_path_factory.mktemp("native")) as engine:
        yield engine


class TestLimits(LimitContract, PauseContract, UpdateContract, StatsContract):
    bench = EngineContract.bench

    # Needs a network, which the guest's kernel has no packet rules for.
    test_traffic_is_counted_as_the_container_sees_it = None
