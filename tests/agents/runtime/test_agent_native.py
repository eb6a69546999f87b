"""The whole agent on the native engine: real containers, real logs, real deaths."""

import os
import signal
import time

import msgspec
import pytest

from agents import config
from agents.engines.native.containers.paths import ContainerPaths
from agents.protocol import keys
from agents.protocol.commands import RemoveProject
from agents.protocol.control import FollowLogs
from agents.protocol.events import ContainerChanged, Inventory
from agents.protocol.records import LogLine
from tests.agents.runtime.agent_process import AgentProcess
from tests.agents.runtime.messages import deploy, files, new_id
from tests.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.redis]

COUNTS = """\
services:
  web:
    image: busybox
    command: >-
      sh -c "trap 'exit 0' TERM; i=0; while :; do i=$$((i+1)); echo $$i; sleep 0.02; done"
  quiet:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; while :; do sleep 0.1; done"
"""


def followed(agent: AgentProcess, container_id: str) -> list[int]:
    entries = agent.panel.redis.xrange(keys.log(agent.panel.uid, container_id))
    return [int(msgspec.json.decode(fields["l"], type=LogLine).text) for _, fields in entries]


def container_of(agent: AgentProcess, name: str) -> str:
    event = agent.panel.wait_for(ContainerChanged, lambda one: one.container.name == name)
    return event.container.id


def test_two_services_run_within_a_second_and_go_without_a_trace(native_agent: AgentProcess):
    native_agent.panel.wait_for(Inventory)
    command = deploy(COUNTS)
    finished = native_agent.panel.finish(command)
    assert (finished.state, finished.summary) == ("succeeded", "2 created")
    again = native_agent.panel.finish(deploy(COUNTS))
    assert again.summary == "2 unchanged"
    removal = RemoveProject(
        operation_id=new_id(), project="demo", remove_volumes=True, forget_files=True
    )
    assert native_agent.panel.finish(removal).state == "succeeded"
    assert not (native_agent.config.root / "projects/demo").exists()


def test_containers_outlive_the_agent_and_no_line_is_lost_or_doubled(native_agent: AgentProcess):
    native_agent.panel.finish(deploy(COUNTS))
    container_id = container_of(native_agent, "demo-web-1")
    native_agent.panel.ask(FollowLogs(container_id=container_id))
    wait_until(lambda: len(followed(native_agent, container_id)) > 20, "twenty lines")
    native_agent.kill()
    before = len(followed(native_agent, container_id))
    native_agent.start()
    native_agent.panel.wait_for(Inventory, lambda one: len(one.containers) == 2)
    native_agent.panel.ask(FollowLogs(container_id=container_id))
    wait_until(lambda: len(followed(native_agent, container_id)) > before + 50, "more lines")
    numbers = followed(native_agent, container_id)
    assert numbers == list(range(1, len(numbers) + 1))


def test_containers_are_restarted_while_the_panel_is_away(native_agent: AgentProcess):
    restarting = COUNTS.replace("web:", "web:\n    restart: always")
    native_agent.panel.finish(deploy(restarting))
    container_id = container_of(native_agent, "demo-web-1")
    root, run = native_agent.config.root / "native", native_agent.config.run / "native"
    paths = ContainerPaths.of(root, run, container_id)
    native_agent.kill()
    os.kill(int(paths.init_pid.read_text()), signal.SIGKILL)
    away = msgspec.structs.replace(
        native_agent.config, redis_urls=(f"redis+socket://{run}/nobody.sock",)
    )
    config.save(away, native_agent.config_path)
    native_agent.start()
    wait_until(lambda: paths.log.read_text().count(" F 1\n") == 2, "a second beginning")


def test_an_error_in_a_dockerfile_names_the_file_within_the_project(native_agent: AgentProcess):
    compose = "services:\n  web:\n    build: ./web\n"
    written = files(compose, **{"web/Dockerfile": "FROM busybox\nRUN exit 3\n"})
    finished = native_agent.panel.finish(deploy(compose, files=written))
    assert finished.state == "failed"
    assert (finished.errors[0].file, finished.errors[0].line) == ("web/Dockerfile", 2)


def test_a_port_that_another_program_holds_is_told_with_its_line(native_agent: AgentProcess):
    import socket

    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = COUNTS + f"    ports: ['{port}:80']\n"
        finished = native_agent.panel.finish(deploy(text))
    assert finished.state == "failed"
    assert (finished.errors[0].code, finished.errors[0].line) == ("conflict", 9)
    assert finished.errors[0].field == "services.quiet.ports[0]"


def test_the_agent_stops_quickly_while_containers_go_on(native_agent: AgentProcess):
    native_agent.panel.finish(deploy(COUNTS))
    record = native_agent.panel.wait_for(
        ContainerChanged, lambda one: one.container.state == "running"
    ).container
    began = time.monotonic()
    assert native_agent.stop() == 0
    assert time.monotonic() - began < 5
    native_agent.start()
    native_agent.panel.events.clear()
    inventory = native_agent.panel.wait_for(Inventory)
    found = {one.id: one for one in inventory.containers}[record.id]
    assert (found.state, found.started_at) == ("running", record.started_at)
