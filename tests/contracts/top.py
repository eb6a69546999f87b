"""Contract of the optional protocol ``ListsProcesses``."""

import time
from pathlib import Path

import pytest

from agents.engines.abilities.processes import Executes, ListsProcesses
from agents.errors import ConflictError, NotFoundError
from tests.contracts.bench import Bench, unique
from tests.contracts.processes import shell, wait_for
from tests.waiting import wait_until


class TopContract:
    @pytest.fixture
    def lister(self, bench: Bench) -> ListsProcesses:
        if not isinstance(bench.engine, ListsProcesses):
            pytest.skip(f"the {bench.engine.name} engine tells no processes")
        return bench.engine

    def test_the_first_process_has_its_own_numbers_and_names(
        self, bench: Bench, lister: ListsProcesses
    ) -> None:
        container = bench.run("echo up; sleep 1000 & wait", user="nobody")
        bench.wait_for_line(container.id, "up")
        wait_until(lambda: len(lister.top_container(container.id)) == 2, "both processes")
        first, second = lister.top_container(container.id)
        assert (first.pid, first.parent_pid, first.user) == (1, 0, "nobody")
        assert second.parent_pid == 1
        assert second.command == "sleep 1000"
        assert first.memory > 0
        assert abs(first.started_at - time.time()) < 60
        assert Path(f"/proc/{first.host_pid}").is_dir()

    def test_work_is_counted(self, bench: Bench, lister: ListsProcesses) -> None:
        container = bench.run("while :; do :; done", stop_grace=0.0)

        def has_worked() -> bool:
            (one,) = lister.top_container(container.id)
            return one.cpu_time > 0.1 and one.cpu_percent > 1

        wait_until(has_worked, "some work")

    def test_programs_beside_the_first_are_there_too(
        self, bench: Bench, lister: ListsProcesses
    ) -> None:
        if not isinstance(bench.engine, Executes):
            pytest.skip(f"the {bench.engine.name} engine runs no further programs")
        container = bench.run()
        with shell(bench.engine, container.id, "echo up; exec sleep 999", tty=True) as session:
            wait_for(session, b"up")

            def is_listed() -> bool:
                return any(
                    one.command == "sleep 999" and one.terminal.startswith("pts/")
                    for one in lister.top_container(container.id)
                )

            wait_until(is_listed, "the exec to be listed")

    def test_one_that_does_not_run_has_none(self, bench: Bench, lister: ListsProcesses) -> None:
        with pytest.raises(ConflictError, match="does not run"):
            lister.top_container(bench.create().id)
        with pytest.raises(NotFoundError):
            lister.top_container(unique("none"))
