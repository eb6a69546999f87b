"""Commands through a real Redis and a real Celery worker."""

import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.protocol import keys
from agents.protocol.commands import ReportAll
from agents.protocol.control import CancelOperation
from agents.protocol.envelope import Sealed
from agents.protocol.events import (
    ContainerChanged,
    HostReport,
    Inventory,
    MessageRefused,
    OperationFinished,
    OperationOutput,
    OperationStarted,
    ProjectApplied,
)
from tests.agents.runtime.agent_process import AgentProcess
from tests.agents.runtime.messages import FOREVER, deploy, new_id
from tests.agents.runtime.panel_side import PanelSide

pytestmark = pytest.mark.redis


def refusals(panel: PanelSide) -> list[str]:
    """Return why messages were refused, once all that was sent has been looked at."""
    panel.finish(ReportAll(operation_id=new_id()))
    return [event.reason for event in panel.events if isinstance(event, MessageRefused)]


def test_it_reports_the_host_and_what_it_holds_at_start(agent: AgentProcess):
    facts = agent.panel.wait_for(HostReport).facts
    assert facts.cpus > 0
    assert facts.memory > 0
    assert [engine.name for engine in facts.engines] == ["fake"]
    assert agent.panel.wait_for(Inventory).images[0].references == ("busybox:latest",)


def test_it_deploys_a_project_and_tells_how(agent: AgentProcess):
    command = deploy()
    finished = agent.panel.finish(command)
    assert (finished.state, finished.summary) == ("succeeded", "1 created")
    assert agent.panel.wait_for(OperationStarted).operation_id == command.operation_id
    applied = agent.panel.wait_for(ProjectApplied).project
    assert (applied.name, applied.applied_by, applied.files) == ("demo", "Ada", command.files)
    running = agent.panel.wait_for(
        ContainerChanged, lambda event: event.container.state == "running"
    )
    assert running.container.name == "demo-web-1"


def test_events_of_an_operation_come_in_order(agent: AgentProcess):
    command = deploy()
    agent.panel.finish(command)
    mine = [event for event in agent.panel.events if event.operation_id == command.operation_id]
    assert isinstance(mine[0], OperationStarted)
    assert isinstance(mine[-1], OperationFinished)
    lines = [
        line.seq for event in mine if isinstance(event, OperationOutput) for line in event.lines
    ]
    assert lines == list(range(1, len(lines) + 1))


def test_it_says_file_line_and_field_of_every_mistake(agent: AgentProcess):
    text = "services:\n  web:\n    imag: busybox\n    ports: ['99999:1']\n"
    finished = agent.panel.finish(deploy(text))
    assert finished.state == "failed"
    places = {(error.file, error.line) for error in finished.errors}
    assert places >= {("compose.yml", 3), ("compose.yml", 4)}


def test_it_refuses_an_unsigned_command(agent: AgentProcess):
    outer = msgspec.json.decode(agent.panel.sealed(deploy()), type=Sealed)
    agent.panel.send_sealed(msgspec.json.encode(Sealed(p=outer.p)).decode())
    assert refusals(agent.panel) == ["unsigned"]


def test_it_refuses_an_altered_command(agent: AgentProcess):
    agent.panel.send_sealed(agent.panel.sealed(deploy()).replace("demo", "evil"))
    assert refusals(agent.panel) == ["altered"]


def test_it_refuses_a_command_that_another_key_signed(agent: AgentProcess):
    agent.panel.send_sealed(agent.panel.sealed(deploy(), key=Ed25519PrivateKey.generate()))
    assert refusals(agent.panel) == ["altered"]


def test_it_refuses_an_expired_command(agent: AgentProcess):
    agent.panel.send_sealed(agent.panel.sealed(deploy(), now=time.time() - 100))
    assert refusals(agent.panel) == ["expired"]


@pytest.mark.parametrize(
    "change",
    [{"recipient": keys.recipient("b" * 32)}, {"kind": "control"}, {"sender": "host.other"}],
    ids=["recipient", "kind", "sender"],
)
def test_it_refuses_a_misaddressed_command(agent: AgentProcess, change):
    agent.panel.send_sealed(agent.panel.sealed(deploy(), **change))
    assert refusals(agent.panel) == ["misaddressed"]


def test_it_refuses_a_replayed_command(agent: AgentProcess):
    command = deploy()
    sealed = agent.panel.sealed(command)
    agent.panel.send_sealed(sealed)
    agent.panel.send_sealed(sealed)
    assert refusals(agent.panel) == ["replayed"]
    starts = [event for event in agent.panel.events if isinstance(event, OperationStarted)]
    assert [event.operation_id for event in starts].count(command.operation_id) == 1


def test_it_refuses_what_is_no_message_at_all(agent: AgentProcess):
    agent.panel.send_sealed("hello")
    assert refusals(agent.panel) == ["malformed"]


def test_a_refused_command_does_nothing_and_is_logged(agent: AgentProcess):
    agent.panel.send_sealed(agent.panel.sealed(deploy()).replace("demo", "evil"))
    refusals(agent.panel)
    assert "message_refused" in agent.log_text()
    assert not any(isinstance(event, ContainerChanged) for event in agent.panel.events)


def test_the_same_operation_sent_again_only_tells_its_end_again(agent: AgentProcess):
    command = deploy()
    agent.panel.finish(command)
    agent.panel.send(command)
    refusals(agent.panel)
    mine = [event for event in agent.panel.events if event.operation_id == command.operation_id]
    assert sum(isinstance(event, OperationFinished) for event in mine) == 2
    assert sum(isinstance(event, OperationStarted) for event in mine) == 1


def test_a_command_of_a_newer_panel_fails_with_a_hint(agent: AgentProcess):
    class Dance(ReportAll, frozen=True, kw_only=True, tag=True):
        pass

    finished = agent.panel.finish(Dance(operation_id=new_id()))
    assert finished.state == "failed"
    assert finished.errors[0].code == "not_supported"


def test_a_person_can_cancel_what_runs(agent: AgentProcess):
    command = deploy(
        f"services:\n  job:\n    image: busybox\n    command: {FOREVER}\n"
        "  web:\n    image: busybox\n    command: sleep 1000\n    depends_on:\n"
        "      job: {condition: service_completed_successfully}\n"
    )
    agent.panel.send(command)
    agent.panel.wait_for(OperationOutput, lambda event: "Wait until" in event.lines[-1].text)
    agent.panel.ask(CancelOperation(operation_id=command.operation_id))
    finished = agent.panel.wait_for(OperationFinished)
    assert finished.state == "cancelled"
    agent.panel.finish(ReportAll(operation_id=new_id()))
    inventories = [event for event in agent.panel.events if isinstance(event, Inventory)]
    assert inventories[-1].containers == ()


def test_operations_of_one_project_run_one_after_the_other(agent: AgentProcess):
    commands = [deploy(), deploy(), deploy()]
    for command in commands:
        agent.panel.send(command)
    for command in commands:
        agent.panel.wait_for(
            OperationFinished, lambda event, one=command: event.operation_id == one.operation_id
        )
    kinds = [
        (type(event), event.operation_id)
        for event in agent.panel.events
        if isinstance(event, OperationStarted | OperationFinished)
    ]
    expected = [
        (kind, one.operation_id)
        for one in commands
        for kind in (OperationStarted, OperationFinished)
    ]
    assert kinds == expected
