"""The contract of ``agents.engines.base.Engine``: what every engine must do, in tests.

An engine's test file subclasses ``EngineContract``, gives it the fixture ``engine`` (started,
with the image ``busybox``, or one that stands for it) and runs it. An engine that cannot do
something raises ``NotSupportedError``, which the suite's conftest turns into a skip.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.base import Builds, Engine
from tests.contracts.archives import ArchivingContract, ChangesContract
from tests.contracts.attachments import AttachContract, TerminalAttachContract
from tests.contracts.bench import Bench
from tests.contracts.builds import BuildContract
from tests.contracts.changes import ListenerContract, RestartContract
from tests.contracts.containers import CreationContract, LifeContract, RemovalContract
from tests.contracts.events import EventContract
from tests.contracts.files import FileContract
from tests.contracts.health import HealthContract
from tests.contracts.images import KeepingContract
from tests.contracts.kernel import KernelContract
from tests.contracts.limits import LimitContract, PauseContract, UpdateContract
from tests.contracts.logs import LogContract
from tests.contracts.networks import Ipv6Contract, NetworkKindContract, PluggingContract
from tests.contracts.processes import ExecContract, TerminalExecContract
from tests.contracts.registries import RegistryContract
from tests.contracts.resources import (
    ImageContract,
    NetworkContract,
    TrafficContract,
    VolumeContract,
)
from tests.contracts.stats import StatsContract
from tests.contracts.top import TopContract
from tests.contracts.turns import TurnContract
from tests.contracts.volumes import (
    VolumeArchiveContract,
    VolumeContentContract,
    VolumeManagementContract,
)
from tests.native_engine import clear


class EngineContract(
    AttachContract,
    ArchivingContract,
    ChangesContract,
    BuildContract,
    CreationContract,
    EventContract,
    FileContract,
    HealthContract,
    ExecContract,
    ImageContract,
    Ipv6Contract,
    KeepingContract,
    KernelContract,
    LifeContract,
    LimitContract,
    ListenerContract,
    LogContract,
    NetworkContract,
    NetworkKindContract,
    PauseContract,
    RegistryContract,
    PluggingContract,
    RemovalContract,
    RestartContract,
    StatsContract,
    TerminalAttachContract,
    TerminalExecContract,
    TopContract,
    TrafficContract,
    TurnContract,
    UpdateContract,
    VolumeArchiveContract,
    VolumeContentContract,
    VolumeContract,
    VolumeManagementContract,
):
    """What engines have in common; the parts are beside this file, by noun."""

    @pytest.fixture
    def bench(self, engine: Engine, archive: Path) -> Iterator[Bench]:
        bench = Bench(engine, archive)
        engine.subscribe(bench.events.append)
        yield bench
        clear(engine)

    @pytest.fixture
    def builder(self, bench: Bench) -> Builds:
        if not isinstance(bench.engine, Builds):
            pytest.skip(f"the {bench.engine.name} engine builds no images")
        return bench.engine

    def test_it_describes_itself(self, engine: Engine) -> None:
        record = engine.describe()
        assert record.name == engine.name
        assert record.version
