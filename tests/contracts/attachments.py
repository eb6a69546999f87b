"""Contract of attaching to the first program of a container."""

import select

import pytest

from agents.engines.abilities.processes import DETACH_KEYS, Attaches
from agents.engines.specs import TerminalSize
from agents.errors import ConflictError, InvalidInputError, NotFoundError
from tests.contracts.bench import Bench, unique
from tests.contracts.processes import TIME, gather, wait_for
from tests.waiting import wait_until

ECHOING = "while read x; do echo got $x; echo err $x >&2; done"


class AttachContract:
    @pytest.fixture
    def attacher(self, bench: Bench) -> Attaches:
        if not isinstance(bench.engine, Attaches):
            pytest.skip(f"nobody can attach to containers of the {bench.engine.name} engine")
        return bench.engine

    def test_input_goes_in_and_output_comes_by_stream(
        self, bench: Bench, attacher: Attaches
    ) -> None:
        container = bench.run(f"{ECHOING}; exit 4", open_stdin=True, stdin_once=True)
        with attacher.attach_container(container.id, stdin=True) as session:
            session.write(b"one\n")
            session.close_stdin()
            assert gather(session) == {"stdout": b"got one\n", "stderr": b"err one\n"}
            assert session.wait(TIME) == 4
        assert bench.lines(container.id) == ["got one", "err one"]

    def test_leaving_does_not_end_it_and_one_may_come_back(
        self, bench: Bench, attacher: Attaches
    ) -> None:
        container = bench.run(ECHOING, open_stdin=True)
        for word in (b"one", b"two"):
            with attacher.attach_container(container.id, stdin=True) as session:
                session.write(word + b"\n")
                wait_for(session, b"got " + word)
        assert bench.engine.find_container(container.id).state == "running"

    def test_several_see_the_same(self, bench: Bench, attacher: Attaches) -> None:
        container = bench.run(ECHOING, open_stdin=True)
        with (
            attacher.attach_container(container.id, stdin=True) as one,
            attacher.attach_container(container.id) as other,
        ):
            one.write(b"x\n")
            wait_for(one, b"got x\n")
            wait_for(other, b"got x\n")

    def test_its_descriptor_says_when_to_read(self, bench: Bench, attacher: Attaches) -> None:
        container = bench.run(ECHOING, open_stdin=True)
        with attacher.attach_container(container.id, stdin=True) as session:
            poller = select.poll()
            poller.register(session.fileno(), select.POLLIN)
            assert poller.poll(50) == []
            assert session.read(0.01) is None
            session.write(b"x\n")
            assert poller.poll(TIME * 1000)

    def test_its_end_is_the_containers(self, bench: Bench, attacher: Attaches) -> None:
        container = bench.run()
        with attacher.attach_container(container.id) as session:
            session.kill()
            gather(session)
            assert session.wait(TIME) == 137

    def test_one_that_does_not_run_is_refused(self, bench: Bench, attacher: Attaches) -> None:
        with pytest.raises(ConflictError, match="does not run"):
            attacher.attach_container(bench.create().id)
        with pytest.raises(NotFoundError):
            attacher.attach_container(unique("none"))

    def test_without_an_open_stdin_there_is_nothing_to_write_to(
        self, bench: Bench, attacher: Attaches
    ) -> None:
        container = bench.run()
        with pytest.raises(InvalidInputError, match="stdin"):
            attacher.attach_container(container.id, stdin=True)
        with (
            attacher.attach_container(container.id) as session,
            pytest.raises(InvalidInputError, match="stdin"),
        ):
            session.write(b"x")

    def test_who_reads_nothing_does_not_hold_it_up(self, bench: Bench, attacher: Attaches) -> None:
        script = "read x; head -c 4000000 /dev/zero; echo; echo done"
        container = bench.run(script, open_stdin=True)
        with attacher.attach_container(container.id, stdin=True) as session:
            session.write(b"\n")
            assert bench.engine.wait_container(container.id, timeout=TIME) == 0
            assert sum(len(one) for one in gather(session).values()) <= 1 << 20


class TerminalAttachContract:
    def test_a_terminal_may_be_resized(self, bench: Bench, attacher: Attaches) -> None:
        container = bench.run("while read x; do stty size; done", tty=True, open_stdin=True)
        with attacher.attach_container(container.id, stdin=True) as session:
            assert session.tty

            def has_grown() -> bool:
                session.resize(TerminalSize(rows=40, columns=120))
                session.write(b"\n")
                chunk = session.read(TIME)
                return chunk is not None and b"40 120" in chunk.data

            wait_until(has_grown, "the terminal's new size")
        attacher.resize_container(container.id, TerminalSize(rows=50, columns=90))

    def test_a_terminal_is_one_and_output_one_stream(
        self, bench: Bench, attacher: Attaches
    ) -> None:
        container = bench.run(
            "read x; test -t 0 && test -t 1 && echo $TERM >&2", tty=True, open_stdin=True
        )
        with attacher.attach_container(container.id, stdin=True) as session:
            session.write(b"\n")
            written = gather(session)
        assert b"xterm" in written["stdout"]
        assert written["stderr"] == b""

    def test_control_c_reaches_the_program(self, bench: Bench, attacher: Attaches) -> None:
        script = "trap 'exit 3' INT; read x; echo up; read y"
        container = bench.run(script, tty=True, open_stdin=True)
        with attacher.attach_container(container.id, stdin=True) as session:
            session.write(b"\n")
            wait_for(session, b"up")
            session.write(b"\x03")
            assert session.wait(TIME) == 3

    def test_the_detach_keys_leave_it_running(self, bench: Bench, attacher: Attaches) -> None:
        container = bench.run("cat", tty=True, open_stdin=True)
        with attacher.attach_container(
            container.id, stdin=True, detach_keys=DETACH_KEYS
        ) as session:
            session.write(b"\x10\x11")
            gather(session)
            assert session.is_detached
        assert bench.engine.find_container(container.id).state == "running"

    @pytest.mark.parametrize(("rows", "columns"), [(0, 1), (1, 1001)])
    def test_a_strange_size_is_refused(
        self, bench: Bench, attacher: Attaches, rows: int, columns: int
    ) -> None:
        container = bench.run("cat", tty=True)
        with pytest.raises(InvalidInputError) as caught:
            attacher.resize_container(container.id, TerminalSize(rows=rows, columns=columns))
        assert caught.value.field == "size"

    def test_without_a_terminal_there_is_no_size_to_change(
        self, bench: Bench, attacher: Attaches
    ) -> None:
        with pytest.raises(InvalidInputError, match="terminal"):
            attacher.resize_container(bench.run().id, TerminalSize(rows=1, columns=1))
