"""Contract: listeners are told, and restart policies are followed."""

from itertools import pairwise

from agents.engines.specs import RestartPolicy
from tests.contracts.bench import Bench
from tests.waiting import wait_until


class ListenerContract:
    def test_listeners_are_told_each_change_in_order(self, bench: Bench) -> None:
        container = bench.run_to_end("exit 0")
        bench.engine.remove_container(container.id)
        wait_until(lambda: bench.states(container.id)[-1:] == ["gone"], "the removal to be told")
        states = bench.states(container.id)
        assert [one for one in states if one != "starting"] == [
            "created",
            "running",
            "exited",
            "gone",
        ]

    def test_each_change_has_a_greater_sequence(self, bench: Bench) -> None:
        container = bench.run_to_end("exit 0")
        bench.engine.start_container(container.id)
        bench.engine.remove_container(container.id, force=True)
        wait_until(lambda: bench.states(container.id)[-1:] == ["gone"], "the removal to be told")
        told = [one.sequence for one in bench.events if one.container_id == container.id]
        assert all(before < after for before, after in pairwise(told))

    def test_a_record_has_the_sequence_of_its_last_change(self, bench: Bench) -> None:
        container = bench.run()
        wait_until(lambda: "running" in bench.states(container.id), "the start to be told")
        told = [one for one in bench.events if one.container_id == container.id]
        assert told[-1].container == bench.engine.find_container(container.id)

    def test_a_listener_may_call_the_engine(self, bench: Bench) -> None:
        seen: list[str] = []

        def look(event: object) -> None:
            seen.extend(one.id for one in bench.engine.list_containers())

        bench.engine.subscribe(look)
        made = bench.create()
        wait_until(lambda: made.id in seen, "the listener to see the container")


class RestartContract:
    def test_no_policy_leaves_an_ended_container_ended(self, bench: Bench) -> None:
        ended = bench.run_to_end("exit 1")
        assert (ended.state, ended.restart_count) == ("exited", 0)

    def test_always_starts_it_again_and_counts(self, bench: Bench) -> None:
        container = bench.run("exit 0", restart=RestartPolicy(name="always"))

        def has_restarted() -> bool:
            return bench.engine.find_container(container.id).restart_count >= 2

        wait_until(has_restarted, "two restarts")
        assert "restarting" in bench.states(container.id)

    def test_on_failure_leaves_a_success_alone(self, bench: Bench) -> None:
        ended = bench.run_to_end("exit 0", restart=RestartPolicy(name="on-failure"))
        assert ended.restart_count == 0

    def test_on_failure_gives_up_after_its_retries(self, bench: Bench) -> None:
        policy = RestartPolicy(name="on-failure", maximum_retries=2)
        ended = bench.run_to_end("echo x; exit 5", restart=policy)
        assert (ended.state, ended.exit_code, ended.restart_count) == ("exited", 5, 2)
        assert bench.lines(ended.id) == ["x", "x", "x"]

    def test_a_persons_stop_is_final(self, bench: Bench) -> None:
        container = bench.run("sleep 1000", restart=RestartPolicy(name="always"))
        stopped = bench.engine.stop_container(container.id, grace=0.0)
        assert (stopped.state, stopped.restart_count) == ("exited", 0)

    def test_a_persons_kill_is_final_too(self, bench: Bench) -> None:
        container = bench.run(restart=RestartPolicy(name="always"))
        bench.engine.kill_container(container.id)
        assert bench.engine.wait_container(container.id, timeout=10.0) == 137

    def test_a_container_that_waits_for_its_restart_can_be_stopped(self, bench: Bench) -> None:
        container = bench.run("exit 1", restart=RestartPolicy(name="unless-stopped"))

        def waits() -> bool:
            found = bench.engine.find_container(container.id)
            return found.state == "restarting" and found.restart_count >= 2

        wait_until(waits, "a longer wait before the next restart")
        assert bench.engine.stop_container(container.id).state == "exited"
        assert bench.engine.find_container(container.id).exit_code == 1

    def test_a_container_that_waits_for_its_restart_can_be_removed(self, bench: Bench) -> None:
        container = bench.run("exit 1", restart=RestartPolicy(name="always"))
        bench.engine.remove_container(container.id, force=True)
        assert container.id not in {one.id for one in bench.engine.list_containers()}
