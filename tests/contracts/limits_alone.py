"""The contract of limits alone, for machines that have cgroups and little else.

No file of tests by its name: a guest is told to run it (tests/agents/native/test_layouts.py).
"""

from collections.abc import Iterator

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import Limits
from tests.contracts.bench import Bench
from tests.contracts.engine_contract import EngineContract
from tests.contracts.kernel import viewer_of
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

    def test_values_read_back_are_those_that_were_written(self, bench: Bench) -> None:
        engine = viewer_of(bench)
        limits = Limits(cpus=0.5, cpu_shares=512, pids=33, memory=64 << 20, memory_swap=-1)
        for asked in (limits, Limits()):
            container = bench.run(limits=asked)
            assert engine.view_kernel(container.id).differences == ()

    def test_a_value_that_somebody_changed_is_told(
        self, bench: Bench, engine: NativeEngine
    ) -> None:
        container = bench.run(limits=Limits(pids=33))
        place = engine._parts.cgroups.place(container.id)
        folder = place.layout.folder("pids", place.cgroup)
        assert folder is not None
        (folder / "pids.max").write_text("44")
        (found,) = engine.view_kernel(container.id).differences
        assert (found.subject, found.recorded, found.found) == ("limits.pids", "33", "44")
