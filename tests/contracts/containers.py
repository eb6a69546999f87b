"""Contract: containers are created, started, stopped, removed and found."""

from dataclasses import replace

import pytest

from agents.engines.specs import EndpointSpec, MountSpec
from agents.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    TimedOutError,
)
from tests.contracts.bench import FOREVER, OBEDIENT, Bench, unique


class CreationContract:
    def test_a_new_container_does_not_run(self, bench: Bench) -> None:
        made = bench.create(labels={"a": "b"}, spec_json="{}")
        assert (made.state, made.labels, made.spec_json) == ("created", {"a": "b"}, "{}")
        assert made.engine == bench.engine.name
        assert made == bench.engine.find_container(made.id)

    def test_the_same_container_twice_is_one(self, bench: Bench) -> None:
        spec = bench.spec()
        first = bench.engine.create_container(spec)
        assert bench.engine.create_container(spec).id == first.id

    def test_a_taken_name_is_refused(self, bench: Bench) -> None:
        spec = bench.spec()
        bench.engine.create_container(spec)
        with pytest.raises(ConflictError, match=spec.name):
            bench.engine.create_container(replace(spec, labels={"other": "1"}))

    def test_a_missing_image_is_told(self, bench: Bench) -> None:
        with pytest.raises(NotFoundError, match="nowhere"):
            bench.create(image="nowhere:1")

    def test_a_missing_network_is_told_and_nothing_is_made(self, bench: Bench) -> None:
        name = unique("c")
        with pytest.raises(NotFoundError, match="nonet"):
            bench.create(name=name, endpoints=(EndpointSpec(network="nonet"),))
        with pytest.raises(NotFoundError):
            bench.engine.find_container(name)

    def test_a_missing_bind_source_is_told_and_not_made(self, bench: Bench) -> None:
        missing = bench.archive.parent / unique("missing")
        mount = MountSpec(kind="bind", target="/data", source=str(missing))
        with pytest.raises(NotFoundError, match=missing.name):
            bench.create(mounts=(mount,))
        assert not missing.exists()

    @pytest.mark.parametrize("name", ["", "a/b", "-x", "ä"])
    def test_a_bad_name_is_refused(self, bench: Bench, name: str) -> None:
        with pytest.raises(InvalidInputError):
            bench.create(name=name)

    def test_it_is_found_by_name_id_and_beginning_of_the_id(self, bench: Bench) -> None:
        made = bench.create()
        for key in (made.name, made.id, made.id[:12]):
            assert bench.engine.find_container(key).id == made.id

    def test_nothing_is_found_by_a_strange_name(self, bench: Bench) -> None:
        with pytest.raises(NotFoundError):
            bench.engine.find_container(unique("none"))

    def test_a_list_holds_those_with_all_labels(self, bench: Bench) -> None:
        mark = unique("m")
        first = bench.create(labels={"mark": mark, "n": "1"})
        second = bench.create(labels={"mark": mark, "n": "2"})
        found = bench.engine.list_containers({"mark": mark})
        assert {one.id for one in found} == {first.id, second.id}
        assert [one.id for one in bench.engine.list_containers({"mark": mark, "n": "2"})] == [
            second.id
        ]
        assert {first.id, second.id} <= {one.id for one in bench.engine.list_containers()}

    def test_a_renamed_container_is_found_by_its_new_name_only(self, bench: Bench) -> None:
        made, name = bench.create(), unique("new")
        assert bench.engine.rename_container(made.id, name).name == name
        assert bench.engine.find_container(name).id == made.id
        with pytest.raises(NotFoundError):
            bench.engine.find_container(made.name)

    def test_a_renamed_container_is_as_one_made_under_that_name(self, bench: Bench) -> None:
        spec = bench.spec()
        made, name = bench.engine.create_container(spec), unique("new")
        bench.engine.rename_container(made.id, name)
        assert bench.engine.create_container(replace(spec, name=name)).id == made.id
        assert bench.engine.create_container(spec).id != made.id

    def test_a_rename_to_a_taken_name_is_refused(self, bench: Bench) -> None:
        one, other = bench.create(), bench.create()
        with pytest.raises(ConflictError, match=other.name):
            bench.engine.rename_container(one.id, other.name)
        assert bench.engine.find_container(one.name).id == one.id


class LifeContract:
    def test_a_started_container_runs(self, bench: Bench) -> None:
        container = bench.run()
        assert (container.state, container.exit_code) == ("running", None)
        assert container.started_at is not None

    def test_starting_it_twice_leaves_it_alone(self, bench: Bench) -> None:
        first = bench.run()
        assert bench.engine.start_container(first.id).started_at == first.started_at

    def test_an_ended_container_tells_its_exit_code(self, bench: Bench) -> None:
        ended = bench.run_to_end("exit 7")
        assert (ended.state, ended.exit_code, ended.oom_killed) == ("exited", 7, False)
        assert not ended.stopped
        assert ended.finished_at is not None

    def test_it_can_be_started_again(self, bench: Bench) -> None:
        ended = bench.run_to_end("echo one")
        bench.engine.start_container(ended.id)
        bench.engine.wait_container(ended.id, timeout=10.0)
        assert bench.lines(ended.id) == ["one", "one"]

    def test_a_program_that_is_not_there_is_told_and_nothing_changes(self, bench: Bench) -> None:
        spec = replace(bench.spec(), command=("nothere",))
        made = bench.engine.create_container(spec)
        with pytest.raises(InvalidInputError, match="nothere"):
            bench.engine.start_container(made.id)
        assert bench.engine.find_container(made.id).state == "created"

    def test_a_stopped_container_may_end_by_itself(self, bench: Bench) -> None:
        container = bench.run(f"trap 'exit 4' TERM; echo up; {FOREVER}")
        bench.wait_for_line(container.id, "up")
        stopped = bench.engine.stop_container(container.id)
        assert (stopped.state, stopped.exit_code, stopped.stopped) == ("exited", 4, True)

    def test_one_that_does_not_listen_is_killed_after_its_grace(self, bench: Bench) -> None:
        container = bench.run("sleep 1000")
        stopped = bench.engine.stop_container(container.id, grace=0.1)
        assert (stopped.state, stopped.exit_code) == ("exited", 137)

    def test_stopping_twice_is_no_error(self, bench: Bench) -> None:
        container = bench.run("exit 3")
        bench.engine.wait_container(container.id, timeout=10.0)
        assert bench.engine.stop_container(container.id).exit_code == 3

    def test_a_kill_ends_it_with_the_signals_code(self, bench: Bench) -> None:
        container = bench.run()
        bench.engine.kill_container(container.id)
        assert bench.engine.wait_container(container.id, timeout=10.0) == 137

    def test_a_kill_may_send_another_signal(self, bench: Bench) -> None:
        container = bench.run(f"trap 'exit 6' TERM; echo up; {FOREVER}")
        bench.wait_for_line(container.id, "up")
        bench.engine.kill_container(container.id, "SIGTERM")
        assert bench.engine.wait_container(container.id, timeout=10.0) == 6

    def test_a_kill_of_one_that_does_not_run_is_refused(self, bench: Bench) -> None:
        with pytest.raises(ConflictError):
            bench.engine.kill_container(bench.create().id)

    def test_a_signal_that_does_not_exist_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InvalidInputError, match="SIGNONE"):
            bench.engine.kill_container(bench.run().id, "SIGNONE")

    def test_waiting_gives_up_at_its_deadline(self, bench: Bench) -> None:
        with pytest.raises(TimedOutError):
            bench.engine.wait_container(bench.run().id, timeout=0.05)

    @pytest.mark.parametrize("verb", ["start", "stop", "kill", "wait"])
    def test_what_is_not_there_cannot_be_acted_on(self, bench: Bench, verb: str) -> None:
        with pytest.raises(NotFoundError):
            getattr(bench.engine, f"{verb}_container")(unique("none"))


class RemovalContract:
    def test_a_removed_container_is_gone(self, bench: Bench) -> None:
        made = bench.create()
        bench.engine.remove_container(made.id)
        with pytest.raises(NotFoundError):
            bench.engine.find_container(made.id)

    def test_removing_twice_succeeds(self, bench: Bench) -> None:
        made = bench.create()
        bench.engine.remove_container(made.id)
        bench.engine.remove_container(made.id)

    def test_a_running_one_is_not_removed_without_force(self, bench: Bench) -> None:
        container = bench.run()
        with pytest.raises(ConflictError, match=container.name):
            bench.engine.remove_container(container.id)
        assert bench.engine.find_container(container.id).state == "running"

    def test_force_removes_a_running_one(self, bench: Bench) -> None:
        container = bench.run("sleep 1000")
        bench.engine.remove_container(container.id, force=True)
        with pytest.raises(NotFoundError):
            bench.engine.find_container(container.id)

    def test_its_name_is_free_again(self, bench: Bench) -> None:
        made = bench.create()
        bench.engine.remove_container(made.id)
        assert bench.create(name=made.name).id != made.id

    def test_who_waits_for_a_removed_container_is_told(self, bench: Bench) -> None:
        container = bench.run(OBEDIENT)
        bench.engine.remove_container(container.id, force=True)
        with pytest.raises(NotFoundError):
            bench.engine.wait_container(container.id, timeout=5.0)
