"""Contract: what containers write is kept, numbered by position, and can be waited for."""

import threading
import time

from tests.contracts.bench import OBEDIENT, Bench


class LogContract:
    def test_both_streams_are_kept_with_times(self, bench: Bench) -> None:
        before = time.time() - 1
        ended = bench.run_to_end("echo out; echo err >&2")
        lines = bench.log(ended.id)
        assert {(one.stream, one.text) for one in lines} == {("stdout", "out"), ("stderr", "err")}
        assert all(before < one.at < time.time() + 1 for one in lines)
        assert {one.container_id for one in lines} == {ended.id}

    def test_each_line_names_the_one_before(self, bench: Bench) -> None:
        ended = bench.run_to_end("echo a; echo b; echo c")
        lines = bench.log(ended.id)
        assert [one.previous for one in lines] == [0, *(one.position for one in lines[:-1])]

    def test_positions_go_on_over_a_restart(self, bench: Bench) -> None:
        ended = bench.run_to_end("echo a")
        first = bench.log(ended.id)[-1]
        bench.engine.start_container(ended.id)
        bench.engine.wait_container(ended.id, timeout=10.0)
        assert [one.previous for one in bench.log(ended.id, after=first.position)] == [
            first.position
        ]

    def test_lines_are_read_by_position(self, bench: Bench) -> None:
        ended = bench.run_to_end("echo a; echo b; echo c; echo d")
        a, b, c, d = bench.log(ended.id)
        assert bench.lines(ended.id, after=b.position) == ["c", "d"]
        assert bench.lines(ended.id, before=c.position) == ["a", "b"]
        assert bench.lines(ended.id, after=a.position, before=d.position) == ["b", "c"]
        assert bench.lines(ended.id, after=d.position) == []
        assert bench.lines(ended.id, before=a.position) == []

    def test_a_limit_takes_the_first_or_the_newest(self, bench: Bench) -> None:
        ended = bench.run_to_end("echo a; echo b; echo c; echo d")
        d = bench.log(ended.id)[-1]
        assert bench.lines(ended.id, limit=2) == ["a", "b"]
        assert bench.lines(ended.id, limit=2, newest=True) == ["c", "d"]
        assert bench.lines(ended.id, limit=2, newest=True, before=d.position) == ["b", "c"]
        assert bench.lines(ended.id, limit=9, newest=True) == ["a", "b", "c", "d"]
        assert bench.lines(ended.id, limit=0) == []

    def test_newest_lines_name_the_one_before_too(self, bench: Bench) -> None:
        ended = bench.run_to_end("echo a; echo b; echo c")
        assert bench.log(ended.id, limit=1, newest=True) == bench.log(ended.id)[-1:]

    def test_a_container_that_never_ran_has_no_lines(self, bench: Bench) -> None:
        assert bench.log(bench.create().id) == ()

    def test_an_empty_line_is_a_line(self, bench: Bench) -> None:
        assert bench.lines(bench.run_to_end("echo; echo x").id) == ["", "x"]

    def test_waiting_ends_with_the_next_line(self, bench: Bench) -> None:
        container = bench.run(f"sleep 0.3; echo late; {OBEDIENT}")
        started = time.monotonic()
        assert bench.engine.wait_logs(container.id, after=0, timeout=10.0)
        assert time.monotonic() - started < 5
        assert bench.lines(container.id) == ["late"]

    def test_waiting_gives_up_at_its_timeout(self, bench: Bench) -> None:
        container = bench.run()
        assert not bench.engine.wait_logs(container.id, after=0, timeout=0.05)

    def test_nobody_waits_for_a_container_that_has_ended(self, bench: Bench) -> None:
        ended = bench.run_to_end("echo last")
        end = bench.log(ended.id)[-1].position
        started = time.monotonic()
        assert not bench.engine.wait_logs(ended.id, after=end, timeout=10.0)
        assert time.monotonic() - started < 5

    def test_its_end_wakes_who_waits(self, bench: Bench) -> None:
        container = bench.run()
        stopper = threading.Timer(0.1, bench.engine.stop_container, (container.id,))
        stopper.start()
        started = time.monotonic()
        bench.engine.wait_logs(container.id, after=0, timeout=10.0)
        stopper.join()
        assert time.monotonic() - started < 8
