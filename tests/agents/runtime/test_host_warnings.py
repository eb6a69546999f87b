"""What an engine warns of reaches the panel with the host's facts."""

from collections.abc import Callable

import pytest

from agents.engines.fake.engine import FakeEngine
from agents.protocol.events import Event, HostReport
from agents.state import State
from agents.worker.inventory import Observer
from tests.agents.runtime.agent_process import AgentProcess

pytestmark = pytest.mark.redis
WARNING = "The firewall chain ip filter FORWARD drops forwarded packets."


class WarningEngine(FakeEngine):
    def warnings(self) -> tuple[str, ...]:
        return (WARNING,)


def test_the_warnings_of_an_engine_are_among_the_facts(agents: Callable[..., AgentProcess]):
    config = agents("fake").config
    told: list[Event] = []

    class Reports:
        put = staticmethod(told.append)

    state = State(config.root)
    Observer(config=config, engine=WarningEngine(), reporter=Reports(), state=state).report_all()
    state.close()
    (report,) = [event for event in told if isinstance(event, HostReport)]
    assert WARNING in report.facts.warnings
