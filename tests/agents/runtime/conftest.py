import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from agents.engines.fake import FakeEngine
from agents.engines.native.images import busybox
from agents.engines.native.images.store import ImageStore
from agents.engines.registry import ENGINES
from agents.protocol.events import Inventory
from agents.worker.engine import open_engine
from tests.agents.runtime.agent_process import AgentProcess, make_agent
from tests.native_engine import clear, require_native
from tests.redis_server import RedisServer, running_redis


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder with a short path: sockets' paths have at most 107 bytes (unix(7))."""
    path = Path(tempfile.mkdtemp(prefix="wpa-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as path:
        yield path


@pytest.fixture
def server(folder: Path) -> Iterator[RedisServer]:
    with running_redis(folder / "redis") as running:
        yield running


@pytest.fixture
def agents(server: RedisServer, folder: Path) -> Iterator[Callable[..., AgentProcess]]:
    """Makes agents that have joined; what they run is gone at the end."""
    with ExitStack() as stack:

        def make(engine: str = "fake", *, url: str = "") -> AgentProcess:
            if engine == "native":
                require_native()
            place = folder / f"a{len(list(folder.iterdir()))}"
            agent = make_agent(server, place, engine=engine, url=url)
            stack.callback(agent.panel.close)
            stack.callback(_clean_up, agent)
            if engine == "native":
                busybox.seed(ImageStore(place / "native"), folder)
            return agent

        yield make


@pytest.fixture
def own_agent(agents: Callable[..., AgentProcess]) -> AgentProcess:
    """An agent with the fake engine, running; the test may do to it what it likes."""
    made = agents()
    made.start()
    return made


@pytest.fixture(scope="module")
def shared_agent() -> Iterator[AgentProcess]:
    with temporary_folder() as place, running_redis(place / "redis") as running:
        made = make_agent(running, place / "agent", engine="fake")
        made.start()
        made.panel.wait_for(Inventory)
        yield made
        made.kill()
        made.panel.close()


@pytest.fixture
def agent(shared_agent: AgentProcess) -> AgentProcess:
    """A running agent that the tests of a file share; nothing of the test before is left."""
    shared_agent.panel.start_afresh("demo")
    return shared_agent


@pytest.fixture
def native_agent(agents: Callable[..., AgentProcess]) -> AgentProcess:
    """An agent with the native engine, running."""
    made = agents("native")
    made.start()
    return made


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    fake = FakeEngine()
    fake.start()
    yield fake
    fake.close()


def _clean_up(agent: AgentProcess) -> None:
    agent.kill()
    if "native" in agent.config.engines and not ENGINES["native"].obstacle():
        engine = open_engine(agent.config)
        engine.start()
        clear(engine)
        engine.close()
