"""Contract: an engine tells what happens in it, one event after the other."""

import threading
from itertools import pairwise

import pytest

from agents.engines.abilities.events import TellsEvents
from agents.engines.abilities.processes import Executes
from agents.engines.specs import ExecSpec, NetworkSpec, RestartPolicy, VolumeSpec
from agents.protocol.records import EngineEvent
from tests.contracts.bench import Bench, unique
from tests.waiting import wait_until


class Told:
    """The events of an engine from now on."""

    def __init__(self, engine: TellsEvents) -> None:
        self.engine = engine
        self.start = engine.last_event()

    def of(self, id: str) -> list[EngineEvent]:
        found = self.engine.events_since(self.start, limit=10_000)
        return [one for one in found if id in (one.id, one.name)]

    def actions(self, id: str) -> list[str]:
        return [one.action for one in self.of(id)]

    def wait_for(self, id: str, action: str) -> EngineEvent:
        wait_until(lambda: action in self.actions(id), f"the event {action}")
        return next(one for one in self.of(id) if one.action == action)


class EventContract:
    @pytest.fixture
    def told(self, bench: Bench) -> Told:
        if not isinstance(bench.engine, TellsEvents):
            pytest.skip(f"the {bench.engine.name} engine tells no events")
        return Told(bench.engine)

    def test_the_life_of_a_container_is_told(self, bench: Bench, told: Told) -> None:
        ended = bench.run_to_end("exit 3", labels={"a": "b"})
        bench.engine.remove_container(ended.id)
        wait_until(lambda: "destroy" in told.actions(ended.id), "the removal to be told")
        assert told.actions(ended.id) == ["create", "start", "die", "destroy"]
        died = told.of(ended.id)[2]
        assert (died.kind, died.name, died.labels) == ("container", ended.name, {"a": "b"})
        assert died.attributes["exit_code"] == "3"
        assert died.attributes["image"] == ended.image

    def test_a_stop_is_told_with_its_signal(self, bench: Bench, told: Told) -> None:
        container = bench.run("sleep 1000")
        bench.engine.stop_container(container.id, grace=0.1)
        told.wait_for(container.id, "stop")
        assert told.actions(container.id)[2:] == ["kill", "kill", "die", "stop"]
        assert told.of(container.id)[2].attributes["signal"] == "15"

    def test_a_restart_is_told_at_its_end(self, bench: Bench, told: Told) -> None:
        container = bench.run("sleep 1000")
        bench.engine.restart_container(container.id, grace=0.0)
        told.wait_for(container.id, "restart")
        assert told.actions(container.id)[-3:] == ["stop", "start", "restart"]

    def test_each_start_of_a_policy_is_told(self, bench: Bench, told: Told) -> None:
        policy = RestartPolicy(name="on-failure", maximum_retries=1)
        ended = bench.run_to_end("exit 1", restart=policy)
        assert told.actions(ended.id) == ["create", "start", "die", "start", "die"]

    def test_a_rename_is_told(self, bench: Bench, told: Told) -> None:
        made, name = bench.create(), unique("new")
        bench.engine.rename_container(made.id, name)
        event = told.wait_for(made.id, "rename")
        assert (event.name, event.attributes["before"]) == (name, made.name)

    def test_what_is_not_done_is_not_told(self, bench: Bench, told: Told) -> None:
        spec = bench.spec()
        made = bench.engine.create_container(spec)
        bench.engine.create_container(spec)
        bench.engine.stop_container(made.id)
        assert told.actions(made.id) == ["create"]

    def test_programs_in_a_container_are_told(self, bench: Bench, told: Told) -> None:
        engine, container = bench.engine, bench.run()
        if not isinstance(engine, Executes):
            pytest.skip(f"the {engine.name} engine runs no further programs")
        with engine.start_exec(container.id, ExecSpec(command=("sh", "-c", "exit 5"))) as session:
            session.wait(timeout=10.0)
        told.wait_for(container.id, "exec_die")
        created, started, died = told.of(container.id)[-3:]
        assert (created.action, started.action, died.action) == (
            "exec_create",
            "exec_start",
            "exec_die",
        )
        assert died.attributes["exec"] == started.attributes["exec"]
        assert died.attributes["exit_code"] == "5"

    def test_who_leaves_a_program_to_itself_is_told(self, bench: Bench, told: Told) -> None:
        engine, container = bench.engine, bench.run()
        if not isinstance(engine, Executes):
            pytest.skip(f"the {engine.name} engine runs no further programs")
        spec = ExecSpec(command=("cat",), tty=True, stdin=True, detach_keys="ctrl-p,ctrl-q")
        with engine.start_exec(container.id, spec) as session:
            session.write(b"\x10\x11")
        told.wait_for(container.id, "exec_detach")

    def test_volumes_are_told(self, bench: Bench, told: Told) -> None:
        name = unique("v")
        for _ in range(2):
            bench.engine.create_volume(VolumeSpec(name=name))
        for _ in range(2):
            bench.engine.remove_volume(name)
        assert told.actions(name) == ["create", "destroy"]

    def test_networks_are_told(self, bench: Bench, told: Told) -> None:
        bench.need("networks")
        name = unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        bench.engine.remove_network(name)
        assert told.actions(name) == ["create", "destroy"]

    def test_images_are_told(self, bench: Bench, told: Told) -> None:
        name = f"{unique('i')}:1"
        record = bench.engine.import_image(bench.archive, name)
        bench.engine.remove_image(name)
        assert {"import", "untag"} <= set(told.actions(name))
        assert {one.id for one in told.of(name)} == {record.id}

    def test_numbers_grow_by_one(self, bench: Bench, told: Told) -> None:
        bench.run_to_end("exit 0")
        numbers = [one.sequence for one in told.engine.events_since(told.start)]
        assert numbers[0] == told.start + 1
        assert all(after == before + 1 for before, after in pairwise(numbers))

    def test_a_limit_takes_the_oldest(self, bench: Bench, told: Told) -> None:
        made = bench.run_to_end("exit 0")
        found = told.engine.events_since(told.start, limit=2)
        assert [one.action for one in found if one.id == made.id] == ["create", "start"]

    def test_who_waits_is_woken_by_the_next_event(self, bench: Bench, told: Told) -> None:
        assert not told.engine.wait_events(told.start, timeout=0.05)
        waiter = threading.Timer(0.1, bench.create)
        waiter.start()
        assert told.engine.wait_events(told.start, timeout=10.0)
        waiter.join()

    def test_listeners_are_told_until_they_end_it(self, bench: Bench, told: Told) -> None:
        heard: list[EngineEvent] = []
        unsubscribe = told.engine.subscribe_events(heard.append)
        made = bench.create()
        wait_until(lambda: [one.id for one in heard] == [made.id], "the creation to be heard")
        unsubscribe()
        bench.engine.remove_container(made.id)
        told.wait_for(made.id, "destroy")
        assert [one.action for one in heard] == ["create"]
