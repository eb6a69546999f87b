"""Contract of the optional protocols of ``agents.engines.abilities.processes``."""

import select

import pytest

from agents.engines.abilities.limits import Pauses
from agents.engines.abilities.processes import DETACH_KEYS, Executes, Session
from agents.engines.specs import ExecSpec, TerminalSize
from agents.errors import ConflictError, InvalidInputError, NotFoundError, TimedOutError
from tests.contracts.bench import Bench, unique
from tests.waiting import wait_until

TIME = 20.0


class ExecContract:
    @pytest.fixture
    def executor(self, bench: Bench) -> Executes:
        if not isinstance(bench.engine, Executes):
            pytest.skip(f"the {bench.engine.name} engine runs no further programs")
        return bench.engine

    def test_its_output_comes_by_stream_and_its_code_at_the_end(
        self, bench: Bench, executor: Executes
    ) -> None:
        with shell(executor, bench.run().id, "echo out; echo err >&2; exit 7") as session:
            assert gather(session) == {"stdout": b"out\n", "stderr": b"err\n"}
            assert session.wait(TIME) == 7

    def test_a_program_that_cannot_run_has_dockers_code_and_a_reason(
        self, bench: Bench, executor: Executes
    ) -> None:
        container = bench.run()
        for program, code in (("nothere", 127), ("/etc/passwd", 126), ("/nothere", 127)):
            with executor.start_exec(container.id, ExecSpec(command=(program,))) as session:
                assert gather(session)["stderr"]
                assert session.wait(TIME) == code

    def test_a_signal_that_ends_it_is_told(self, bench: Bench, executor: Executes) -> None:
        with shell(executor, bench.run().id, "kill -9 $$") as session:
            assert session.wait(TIME) == 137

    def test_it_can_be_killed(self, bench: Bench, executor: Executes) -> None:
        with shell(executor, bench.run().id, "exec sleep 1000") as session:
            session.kill("SIGTERM")
            assert session.wait(TIME) == 143

    def test_waiting_gives_up_at_its_deadline(self, bench: Bench, executor: Executes) -> None:
        with shell(executor, bench.run().id, "sleep 1000") as session:
            with pytest.raises(TimedOutError):
                session.wait(0.05)
            assert session.read(0.05) is None

    def test_it_reads_what_it_is_given_to_its_end(self, bench: Bench, executor: Executes) -> None:
        data = b"x" * 300_000
        with shell(executor, bench.run().id, "wc -c", stdin=True) as session:
            assert session.write(data, TIME)
            session.close_stdin()
            assert gather(session)["stdout"].strip() == b"300000"
            with pytest.raises(ConflictError, match="closed"):
                session.write(b"more")

    def test_one_that_reads_nothing_takes_no_more(self, bench: Bench, executor: Executes) -> None:
        with shell(executor, bench.run().id, "sleep 1000", stdin=True) as session:
            assert session.write(b"x" * 300_000, 0.05)
            assert not session.write(b"x", 0.05)

    def test_without_stdin_it_can_be_given_nothing(self, bench: Bench, executor: Executes) -> None:
        with shell(executor, bench.run().id, "cat") as session:
            with pytest.raises(InvalidInputError, match="stdin"):
                session.write(b"x")
            assert session.wait(TIME) == 0

    def test_its_descriptor_says_when_to_read(self, bench: Bench, executor: Executes) -> None:
        with shell(executor, bench.run().id, "read x; echo $x", stdin=True) as session:
            poller = select.poll()
            poller.register(session.fileno(), select.POLLIN)
            assert poller.poll(50) == []
            session.write(b"word\n")
            assert poller.poll(TIME * 1000)
            assert gather(session)["stdout"] == b"word\n"
            assert poller.poll(0)

    def test_it_has_the_containers_settings_and_its_own(
        self, bench: Bench, executor: Executes
    ) -> None:
        container = bench.run(environment={"A": "1", "B": "2"}, working_dir="/tmp", user="1:1")
        with shell(
            executor, container.id, "echo $A $B; pwd; id -u", environment={"B": "3"}
        ) as session:
            assert gather(session)["stdout"] == b"1 3\n/tmp\n1\n"

    def test_user_and_folder_may_be_chosen(self, bench: Bench, executor: Executes) -> None:
        with shell(
            executor,
            bench.run(user="1:1").id,
            "id -u; pwd; echo $HOME",
            user="root",
            working_dir="/etc",
        ) as session:
            assert gather(session)["stdout"] == b"0\n/etc\n/root\n"

    def test_a_user_who_is_not_in_the_container_is_told(
        self, bench: Bench, executor: Executes
    ) -> None:
        with pytest.raises(InvalidInputError, match="nobodyhere"):
            shell(executor, bench.run().id, "true", user="nobodyhere")

    def test_an_empty_command_is_refused(self, bench: Bench, executor: Executes) -> None:
        with pytest.raises(InvalidInputError) as caught:
            executor.start_exec(bench.run().id, ExecSpec(command=()))
        assert caught.value.field == "command"

    def test_one_that_does_not_run_is_refused(self, bench: Bench, executor: Executes) -> None:
        with pytest.raises(ConflictError, match="does not run"):
            shell(executor, bench.create().id, "true")
        with pytest.raises(NotFoundError):
            shell(executor, unique("none"), "true")

    def test_one_that_is_paused_is_refused(self, bench: Bench, executor: Executes) -> None:
        if not isinstance(bench.engine, Pauses):
            pytest.skip(f"the {bench.engine.name} engine pauses nothing")
        container = bench.run()
        bench.engine.pause_container(container.id)
        with pytest.raises(ConflictError, match="paused"):
            shell(executor, container.id, "true")
        bench.engine.unpause_container(container.id)
        with shell(executor, container.id, "true") as session:
            assert session.wait(TIME) == 0

    def test_it_ends_with_its_container(self, bench: Bench, executor: Executes) -> None:
        container = bench.run()
        with shell(executor, container.id, "echo up; sleep 1000") as session:
            assert session.read(TIME)
            bench.engine.stop_container(container.id)
            assert session.wait(TIME) == 137

    def test_it_is_listed_while_it_runs_and_after(self, bench: Bench, executor: Executes) -> None:
        container = bench.run()
        with shell(executor, container.id, "exec sleep 1000") as session:
            wait_until(lambda: executor.list_execs(container.id)[0].pid > 0, "its number")
            (listed,) = executor.list_execs(container.id)
            assert (listed.id, listed.running, listed.exit_code) == (session.id, True, None)
            session.kill()
            session.wait(TIME)
        wait_until(lambda: not executor.list_execs(container.id)[0].running, "its end")
        assert executor.list_execs(container.id)[0].exit_code == 137

    def test_closing_ends_it(self, bench: Bench, executor: Executes) -> None:
        container = bench.run()
        shell(executor, container.id, "exec sleep 1000").close()
        wait_until(lambda: not executor.list_execs(container.id)[0].running, "its end")

    def test_a_detached_one_goes_on_by_itself(self, bench: Bench, executor: Executes) -> None:
        container = bench.run()
        with shell(executor, container.id, "sleep 0.1; exit 3", detach=True) as session:
            assert session.is_detached
            chunk = session.read(TIME)
            assert chunk is not None
            assert chunk.is_end
        wait_until(lambda: not executor.list_execs(container.id)[0].running, "its end")
        assert executor.list_execs(container.id)[0].exit_code == 3


class TerminalExecContract:
    # Beside it, "executor" is a fixture of ExecContract.
    def test_a_terminal_has_the_size_it_was_given(self, bench: Bench, executor: Executes) -> None:
        size = TerminalSize(rows=33, columns=101)
        with shell(
            executor,
            bench.run().id,
            "stty size; read x; stty size",
            tty=True,
            stdin=True,
            size=size,
        ) as session:
            wait_for(session, b"33 101")
            session.resize(TerminalSize(rows=40, columns=120))
            session.write(b"\n")
            assert b"40 120" in gather(session)["stdout"]
            assert session.wait(TIME) == 0

    def test_a_terminal_passes_on_control_c(self, bench: Bench, executor: Executes) -> None:
        with shell(
            executor, bench.run().id, "echo up; sleep 1000", tty=True, stdin=True
        ) as session:
            wait_for(session, b"up")
            session.write(b"\x03")
            assert session.wait(TIME) == 130

    def test_without_a_terminal_there_is_no_size(self, bench: Bench, executor: Executes) -> None:
        with (
            shell(executor, bench.run().id, "sleep 1000") as session,
            pytest.raises(InvalidInputError, match="terminal"),
        ):
            session.resize(TerminalSize(rows=1, columns=1))

    def test_a_missing_program_is_told_on_the_terminal(
        self, bench: Bench, executor: Executes
    ) -> None:
        spec = ExecSpec(command=("nothere",), tty=True)
        with executor.start_exec(bench.run().id, spec) as session:
            assert b"nothere" in gather(session)["stdout"]
            assert session.wait(TIME) == 127

    def test_the_detach_keys_leave_it_running(self, bench: Bench, executor: Executes) -> None:
        container = bench.run()
        with shell(
            executor, container.id, "cat", tty=True, stdin=True, detach_keys=DETACH_KEYS
        ) as session:
            session.write(b"hi\x10\x11")
            assert gather(session) is not None
            assert session.is_detached
        assert executor.list_execs(container.id)[0].running

    def test_closing_a_terminal_hangs_up(self, bench: Bench, executor: Executes) -> None:
        container = bench.run()
        shell(executor, container.id, "sleep 1000", tty=True, stdin=True).close()
        wait_until(lambda: not executor.list_execs(container.id)[0].running, "its end")


def shell(executor: Executes, container_id: str, script: str, **fields: object) -> Session:
    """Start a script in a container."""
    return executor.start_exec(container_id, ExecSpec(command=("sh", "-c", script), **fields))


def gather(session: Session) -> dict[str, bytes]:
    """Return all that a program still writes, by stream."""
    written = {"stdout": b"", "stderr": b""}
    while True:
        chunk = session.read(TIME)
        assert chunk is not None, f"only {written} came"
        if chunk.is_end:
            return written
        written[chunk.stream] += chunk.data


def wait_for(session: Session, text: bytes) -> bytes:
    """Read until a text has come, and return all that came."""
    came = b""
    while text not in came:
        chunk = session.read(TIME)
        assert chunk is not None, f"{text!r} did not come, only {came!r}"
        assert not chunk.is_end, f"{text!r} did not come, only {came!r}"
        came += chunk.data
    return came
