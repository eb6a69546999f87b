"""Contract: restarts by hand, what one may wait for, and containers that remove themselves."""

import threading
from collections.abc import Callable

import pytest

from agents.engines.base import WaitFor
from agents.engines.specs import RestartPolicy
from agents.errors import InvalidInputError, NotFoundError
from tests.contracts.bench import FOREVER, OBEDIENT, Bench
from tests.waiting import wait_until


class TurnContract:
    def test_a_restart_stops_and_starts(self, bench: Bench) -> None:
        container = bench.run(f"trap 'exit 4' TERM; echo up; {FOREVER}")
        bench.wait_for_line(container.id, "up")
        again = bench.engine.restart_container(container.id)
        assert (again.state, again.exit_code, again.restart_count) == ("running", None, 0)
        assert again.started_at != container.started_at
        wait_until(lambda: bench.lines(container.id) == ["up", "up"], "the second start")

    def test_a_restart_kills_after_its_grace(self, bench: Bench) -> None:
        container = bench.run("sleep 1000", restart=RestartPolicy(name="unless-stopped"))
        assert bench.engine.restart_container(container.id, grace=0.1).state == "running"

    def test_a_restart_starts_what_does_not_run(self, bench: Bench) -> None:
        assert bench.engine.restart_container(bench.create().id).state == "running"
        assert bench.engine.restart_container(bench.run_to_end("exit 1").id).started_at

    def test_a_restarted_container_keeps_its_policy(self, bench: Bench) -> None:
        policy = RestartPolicy(name="on-failure", maximum_retries=1)
        container = bench.run(f"echo up; {OBEDIENT}", restart=policy)
        bench.engine.restart_container(container.id)
        bench.engine.kill_container(container.id, "SIGUSR1")
        wait_until(lambda: bench.lines(container.id).count("up") >= 2, "the second start")
        assert bench.engine.stop_container(container.id).state == "exited"

    def test_a_loop_of_crashes_tells_when_it_goes_on(self, bench: Bench) -> None:
        container = bench.run("exit 1", restart=RestartPolicy(name="always"))

        def waits() -> bool:
            found = bench.engine.find_container(container.id)
            return found.state == "restarting" and found.restart_count >= 3

        wait_until(waits, "a few restarts")
        found = bench.engine.find_container(container.id)
        assert found.finished_at is not None
        assert found.restart_at is not None
        assert 0.3 < found.restart_at - found.finished_at < 10
        assert bench.engine.stop_container(container.id).restart_at is None

    def test_the_next_exit_may_be_one_that_a_policy_ends(self, bench: Bench) -> None:
        container = bench.run("sleep 0.5; exit 5", restart=RestartPolicy(name="always"))
        assert bench.engine.wait_container(container.id, 10.0, "next-exit") == 5
        assert bench.engine.find_container(container.id).state != "exited"

    @pytest.mark.parametrize("until", ["removed", "next-exit"])
    def test_waiting_for_what_comes_later(self, bench: Bench, until: WaitFor) -> None:
        ended = bench.run_to_end("exit 6")
        codes: list[int] = []
        waiter = _waiter(lambda: codes.append(bench.engine.wait_container(ended.id, 20.0, until)))
        acts: dict[str, Callable[[], object]] = {
            "removed": lambda: bench.engine.remove_container(ended.id),
            "next-exit": lambda: bench.engine.start_container(ended.id),
        }
        acts[until]()
        waiter.join(20.0)
        assert codes == [6]

    def test_a_container_may_remove_itself(self, bench: Bench) -> None:
        container = bench.run("sleep 0.2; exit 3", auto_remove=True)
        assert bench.engine.wait_container(container.id, 10.0, "removed") == 3
        with pytest.raises(NotFoundError):
            bench.engine.find_container(container.id)

    def test_one_that_removes_itself_survives_a_restart(self, bench: Bench) -> None:
        container = bench.run(auto_remove=True)
        assert bench.engine.restart_container(container.id).state == "running"
        bench.engine.stop_container(container.id)
        wait_until(lambda: not bench.engine.list_containers(), "the removal")

    def test_one_that_removes_itself_has_no_policy(self, bench: Bench) -> None:
        with pytest.raises(InvalidInputError, match="policy"):
            bench.create(auto_remove=True, restart=RestartPolicy(name="always"))


def _waiter(act: Callable[[], None]) -> threading.Thread:
    """A thread that waits, and surely has begun to."""
    begun = threading.Event()

    def run() -> None:
        begun.set()
        act()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    thread.join(0.2)
    return thread
