"""Contract of the optional protocol ``ReadsStats``."""

import time

import pytest

from agents.engines.specs import EndpointSpec, Limits, NetworkSpec
from agents.errors import ConflictError
from tests.contracts.bench import OBEDIENT, Bench, unique
from tests.contracts.limits import MEBIBYTE, stats_of
from tests.waiting import wait_until


class StatsContract:
    def test_a_reading_tells_cpu_memory_and_processes(self, bench: Bench) -> None:
        engine = stats_of(bench)
        script = f"head -c 20000000 /dev/zero >/dev/shm/x; echo full; {OBEDIENT}"
        container = bench.run(script, limits=Limits(memory=64 * MEBIBYTE, pids=20))
        bench.wait_for_line(container.id, "full")
        wait_until(lambda: engine.read_stats(container.id).pids == 2, "its two processes")
        found = engine.read_stats(container.id)
        assert found.container_id == container.id
        assert abs(found.at - time.time()) < 10
        assert (found.cpu.total or 0) > 0
        assert found.cpu.online >= 1
        assert 20_000_000 <= (found.memory.used or 0) <= 64 * MEBIBYTE
        assert (found.memory.limit, found.pids_limit) == (64 * MEBIBYTE, 20)

    def test_running_into_the_memory_limit_is_counted(self, bench: Bench) -> None:
        engine = stats_of(bench)
        script = f"head -c 60000000 /dev/zero | tail >/dev/null; echo over; {OBEDIENT}"
        container = bench.run(script, limits=Limits(memory=16 * MEBIBYTE))
        bench.wait_for_line(container.id, "over")
        memory = engine.read_stats(container.id).memory
        assert memory.oom_kills >= 1
        assert memory.limit_hits >= 1

    def test_traffic_is_counted_as_the_container_sees_it(self, bench: Bench) -> None:
        bench.need("published_ports")
        engine, name = stats_of(bench), unique("n")
        bench.engine.create_network(NetworkSpec(name=name))
        place = (EndpointSpec(network=name, aliases=("sink",)),)
        sink = bench.run(endpoints=place)
        script = "ping -c 3 -i 0.1 -s 10000 sink >/dev/null; echo $?"
        sender = bench.run_to_end(script, endpoints=(EndpointSpec(network=name),))
        assert bench.lines(sender.id) == ["0"]
        (found,) = engine.read_stats(sink.id).interfaces
        assert found.received_bytes > 30_000
        assert found.sent_bytes > 30_000
        assert found.received_packets > 3

    def test_all_running_containers_are_read_at_once(self, bench: Bench) -> None:
        engine = stats_of(bench)
        running = [bench.run().id for _ in range(2)]
        bench.create()
        assert [one.container_id for one in engine.read_all_stats()] == running

    def test_what_does_not_run_uses_nothing(self, bench: Bench) -> None:
        engine, container = stats_of(bench), bench.create()
        with pytest.raises(ConflictError):
            engine.read_stats(container.id)
