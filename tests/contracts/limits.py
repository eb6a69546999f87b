"""Contract: limits hold, may be changed, and containers may be held still.

Needs an engine whose containers are real programs. What a limit does is shown by a program
that runs into it.
"""

import pytest

from agents.engines.abilities.limits import Pauses, Updates
from agents.engines.abilities.processes import Executes
from agents.engines.abilities.stats import ReadsStats
from agents.engines.specs import ExecSpec, Limits, RestartPolicy, UpdateSpec
from agents.errors import ConflictError, InvalidInputError
from tests.contracts.bench import OBEDIENT, Bench
from tests.waiting import wait_until

BUSY = "while :; do :; done"
CPUS = "while :; do grep Cpus_allowed_list /proc/self/status; sleep 0.05; done"
FORKS = "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo all"
COUNTING = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"
MEBIBYTE = 1 << 20


class LimitContract:
    def test_a_kill_for_want_of_memory_is_told_apart(self, bench: Bench) -> None:
        bench.need("limits")
        eater = "head -c 200000000 /dev/zero | tail; exit $?"
        ended = bench.run_to_end(eater, limits=Limits(memory=24 * MEBIBYTE))
        assert (ended.exit_code, ended.oom_killed) == (137, True)

    def test_a_container_has_no_more_processes_than_allowed(self, bench: Bench) -> None:
        bench.need("limits")
        ended = bench.run_to_end(FORKS, limits=Limits(pids=5))
        assert ended.exit_code != 0
        assert "all" not in bench.lines(ended.id)

    def test_a_busy_container_gets_no_more_than_its_quota(self, bench: Bench) -> None:
        bench.need("limits")
        engine = stats_of(bench)
        container = bench.run(BUSY, limits=Limits(cpus=0.2))
        assert engine.read_stats(container.id).cpu.limit == 0.2
        before = engine.read_stats(container.id)

        def was_throttled() -> bool:
            now = engine.read_stats(container.id)
            return now.cpu.throttled_periods >= before.cpu.throttled_periods + 8

        wait_until(was_throttled, "eight periods with too little time")
        after = engine.read_stats(container.id)
        used = (after.cpu.total or 0.0) - (before.cpu.total or 0.0)
        # One period more may begin than has ended.
        assert 0 < used <= 0.2 * (after.at - before.at) + 0.05

    def test_a_container_runs_on_its_cpus_alone(self, bench: Bench) -> None:
        bench.need("limits")
        script = "grep Cpus_allowed_list /proc/self/status"
        ended = bench.run_to_end(script, limits=Limits(cpuset_cpus="0", cpuset_mems="0"))
        assert bench.lines(ended.id)[0].split()[-1] == "0"

    @pytest.mark.parametrize(
        ("field", "limits"),
        [
            ("cpus", Limits(cpus=-1)),
            ("memory", Limits(memory=0)),
            ("pids", Limits(pids=0)),
            ("cpu_shares", Limits(cpu_shares=1)),
            ("cpuset_cpus", Limits(cpuset_cpus="0-")),
            ("cpuset_cpus", Limits(cpuset_cpus="4000")),
            ("memory_swap", Limits(memory=64 * MEBIBYTE, memory_swap=MEBIBYTE)),
            ("memory_reservation", Limits(memory=8 * MEBIBYTE, memory_reservation=9 * MEBIBYTE)),
            ("blkio_weight", Limits(blkio_weight=5)),
            ("write_bytes", Limits(write_bytes={"/dev/null": 1000})),
            ("read_operations", Limits(read_operations={"/dev/no-such-disk": 1000})),
        ],
    )
    def test_a_senseless_limit_is_refused(self, bench: Bench, field: str, limits: Limits) -> None:
        bench.need("limits")
        with pytest.raises(InvalidInputError) as caught:
            bench.create(OBEDIENT, limits=limits)
        assert caught.value.field == field


class UpdateContract:
    def test_a_limit_is_changed_while_the_container_runs(self, bench: Bench) -> None:
        engine = updater_of(bench)
        container = bench.run(CPUS)
        engine.update_container(container.id, UpdateSpec(limits=Limits(cpuset_cpus="0")))
        bench.wait_for_line(container.id, "Cpus_allowed_list:\t0")

    def test_a_changed_limit_outlasts_a_restart(self, bench: Bench) -> None:
        engine = updater_of(bench)
        container = bench.create(FORKS)
        engine.update_container(container.id, UpdateSpec(limits=Limits(pids=5)))
        bench.engine.start_container(container.id)
        bench.engine.wait_container(container.id, timeout=20.0)
        assert "all" not in bench.lines(container.id)

    def test_what_is_not_named_stays_as_it_is(self, bench: Bench) -> None:
        engine, stats = updater_of(bench), stats_of(bench)
        container = bench.run(limits=Limits(pids=50, memory=32 * MEBIBYTE))
        engine.update_container(container.id, UpdateSpec(limits=Limits(memory=64 * MEBIBYTE)))
        found = stats.read_stats(container.id)
        assert (found.pids_limit, found.memory.limit) == (50, 64 * MEBIBYTE)

    def test_a_limit_is_lifted(self, bench: Bench) -> None:
        engine, stats = updater_of(bench), stats_of(bench)
        container = bench.run(limits=Limits(pids=50, memory=32 * MEBIBYTE))
        engine.update_container(container.id, UpdateSpec(lifted=("memory", "pids")))
        found = stats.read_stats(container.id)
        assert (found.pids_limit, found.memory.limit) == (None, None)

    def test_a_refused_value_leaves_all_as_it_was(self, bench: Bench) -> None:
        engine, stats = updater_of(bench), stats_of(bench)
        script = f"head -c 30000000 /dev/zero >/dev/shm/x; echo full; {OBEDIENT}"
        container = bench.run(script, limits=Limits(pids=50, memory=64 * MEBIBYTE))
        bench.wait_for_line(container.id, "full")
        change = UpdateSpec(limits=Limits(pids=9, memory=8 * MEBIBYTE))
        with pytest.raises(InvalidInputError) as caught:
            engine.update_container(container.id, change)
        assert caught.value.field in ("memory", "memory_swap")
        found = stats.read_stats(container.id)
        assert (found.pids_limit, found.memory.limit) == (50, 64 * MEBIBYTE)

    def test_a_restart_policy_is_changed_while_the_container_runs(self, bench: Bench) -> None:
        engine = updater_of(bench)
        container = bench.run("exec sleep 1000", restart=RestartPolicy(name="no"))
        change = UpdateSpec(restart=RestartPolicy(name="always"))
        engine.update_container(container.id, change)
        bench.engine.kill_container(container.id, "SIGSEGV")
        bench.engine.stop_container(container.id)
        looped = bench.run("exit 0", restart=RestartPolicy(name="always"))
        engine.update_container(looped.id, UpdateSpec(restart=RestartPolicy(name="no")))
        bench.wait_for_state(looped.id, "exited")

    def test_a_changed_container_is_as_one_made_so(self, bench: Bench) -> None:
        engine, spec = updater_of(bench), bench.spec()
        made = bench.engine.create_container(spec)
        engine.update_container(made.id, UpdateSpec(limits=Limits(pids=7)))
        with pytest.raises(ConflictError):
            bench.engine.create_container(spec)

    def test_an_unknown_limit_cannot_be_lifted(self, bench: Bench) -> None:
        engine, container = updater_of(bench), bench.create()
        with pytest.raises(InvalidInputError, match="wings"):
            engine.update_container(container.id, UpdateSpec(lifted=("wings",)))


class PauseContract:
    def test_a_paused_container_stands_still_and_goes_on(self, bench: Bench) -> None:
        engine = pauser_of(bench)
        container = bench.run(COUNTING)
        bench.wait_for_line(container.id, "3")
        assert engine.pause_container(container.id).state == "paused"
        still = engine.read_stats(container.id).cpu.total
        lines = bench.lines(container.id, limit=10_000)
        assert engine.read_stats(container.id).cpu.total == still
        assert engine.unpause_container(container.id).state == "running"
        bench.wait_for_line(container.id, str(len(lines) + 3))

    def test_pausing_twice_and_going_on_twice_are_fine(self, bench: Bench) -> None:
        engine, container = pauser_of(bench), bench.run()
        for _ in range(2):
            assert engine.pause_container(container.id).state == "paused"
        for _ in range(2):
            assert engine.unpause_container(container.id).state == "running"

    def test_only_what_runs_can_be_paused(self, bench: Bench) -> None:
        engine, container = pauser_of(bench), bench.create()
        with pytest.raises(ConflictError):
            engine.pause_container(container.id)
        with pytest.raises(ConflictError):
            engine.unpause_container(container.id)

    def test_a_paused_container_cannot_be_started(self, bench: Bench) -> None:
        engine, container = pauser_of(bench), bench.run()
        engine.pause_container(container.id)
        with pytest.raises(ConflictError):
            bench.engine.start_container(container.id)

    def test_a_stop_lets_a_paused_container_end_by_itself(self, bench: Bench) -> None:
        engine = pauser_of(bench)
        container = bench.run("trap 'exit 7' TERM; echo ready; sleep 1000 & wait")
        bench.wait_for_line(container.id, "ready")
        engine.pause_container(container.id)
        assert bench.engine.stop_container(container.id).exit_code == 7

    def test_a_kill_ends_a_paused_container(self, bench: Bench) -> None:
        engine, container = pauser_of(bench), bench.run()
        engine.pause_container(container.id)
        bench.engine.kill_container(container.id)
        assert bench.engine.wait_container(container.id, timeout=10.0) == 137

    def test_another_signal_waits_until_it_goes_on(self, bench: Bench) -> None:
        engine = pauser_of(bench)
        script = "trap 'echo heard' USR1; echo ready; while :; do sleep 0.05; done"
        container = bench.run(script)
        bench.wait_for_line(container.id, "ready")
        engine.pause_container(container.id)
        bench.engine.kill_container(container.id, "SIGUSR1")
        assert bench.engine.find_container(container.id).state == "paused"
        assert bench.lines(container.id) == ["ready"]
        engine.unpause_container(container.id)
        bench.wait_for_line(container.id, "heard")

    def test_nothing_is_executed_in_a_paused_container(self, bench: Bench) -> None:
        engine, container = pauser_of(bench), bench.run()
        if not isinstance(bench.engine, Executes):
            pytest.skip(f"the {bench.engine.name} engine executes nothing")
        engine.pause_container(container.id)
        with pytest.raises(ConflictError):
            bench.engine.start_exec(container.id, ExecSpec(command=("true",)))

    def test_a_paused_container_is_removed_by_force(self, bench: Bench) -> None:
        engine, container = pauser_of(bench), bench.run()
        engine.pause_container(container.id)
        bench.engine.remove_container(container.id, force=True)
        assert bench.engine.list_containers() == ()


def pauser_of(bench: Bench) -> Pauses:
    if not isinstance(bench.engine, Pauses):
        pytest.skip(f"the {bench.engine.name} engine cannot pause containers")
    return bench.engine


def updater_of(bench: Bench) -> Updates:
    if not isinstance(bench.engine, Updates):
        pytest.skip(f"the {bench.engine.name} engine cannot change containers")
    return bench.engine


def stats_of(bench: Bench) -> ReadsStats:
    if not isinstance(bench.engine, ReadsStats):
        pytest.skip(f"the {bench.engine.name} engine tells no statistics")
    return bench.engine
