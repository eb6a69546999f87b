"""Execs of the native engine: what an agent leaves behind, and what a program finds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, ExecSpec
from agents.linux import process
from tests.contracts.processes import gather, shell
from tests.native_engine import NativeHome, native_home
from tests.waiting import wait_until

pytestmark = pytest.mark.root
FOREVER = ("sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[NativeHome]:
    with native_home(tmp_path) as home:
        yield home


def run(engine: NativeEngine, **fields: object) -> str:
    spec = ContainerSpec(name="box", image="busybox", command=FOREVER, **fields)
    return engine.start_container(engine.create_container(spec).id).id


def pid_of(engine: NativeEngine, container_id: str, number: int = 0) -> int:
    def listed() -> int:
        return engine.list_execs(container_id)[number].pid

    wait_until(lambda: listed() > 0, "the exec's number")
    return listed()


def test_an_agents_successor_adopts_what_was_detached_and_ends_the_rest(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run(engine)
        shell(engine, container, "exec sleep 1000", detach=True)
        shell(engine, container, "exec sleep 1000")
        detached, attended = pid_of(engine, container), pid_of(engine, container, 1)
    with home.engine() as engine:
        wait_until(lambda: not process.is_running(attended), "the lost exec to end")
        assert process.is_running(detached)
        wait_until(lambda: len(engine.list_execs(container)) == 2, "both to be listed")
        process.signal_process(detached, 9)

        def has_ended() -> bool:
            return not any(one.running for one in engine.list_execs(container))

        wait_until(has_ended, "the detached exec to end")


def test_a_program_finds_none_of_the_agents_files_open(home: NativeHome) -> None:
    with home.engine() as engine, shell(engine, run(engine), "ls /proc/self/fd") as session:
        assert gather(session)["stdout"].split() == [b"0", b"1", b"2", b"3"]


def test_a_program_may_open_its_output_again_as_any_user(home: NativeHome) -> None:
    with (
        home.engine() as engine,
        shell(engine, run(engine), "echo hi >/dev/stderr", user="1000:1000") as session,
    ):
        assert (gather(session), session.wait(20.0)) == ({"stdout": b"", "stderr": b"hi\n"}, 0)


def test_it_has_the_containers_capabilities_unless_it_is_privileged(home: NativeHome) -> None:
    script = "grep CapEff /proc/self/status"
    with home.engine() as engine:
        container = run(engine, cap_drop=("ALL",))
        with shell(engine, container, script) as session:
            assert gather(session)["stdout"].split()[1].strip(b"0") == b""
        with shell(engine, container, script, privileged=True) as session:
            assert gather(session)["stdout"].split()[1].strip(b"0") != b""


def test_it_is_in_all_namespaces_of_its_container(home: NativeHome) -> None:
    script = """for one in ipc mnt net pid uts; do
        test $(readlink /proc/1/ns/$one) = $(readlink /proc/self/ns/$one) || echo $one
    done"""
    with home.engine() as engine, shell(engine, run(engine), script) as session:
        assert gather(session) == {"stdout": b"", "stderr": b""}


def test_a_command_of_many_words_is_one_argument_each(home: NativeHome) -> None:
    words = ("a b", "", "ä\n", "$x")
    with home.engine() as engine:
        spec = ExecSpec(command=("printf", "<%s>", *words))
        with engine.start_exec(run(engine), spec) as session:
            assert gather(session)["stdout"].decode() == "<a b><><ä\n><$x>"


def test_sessions_leave_no_descriptor_open(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run(engine, tty=True, open_stdin=True)
        use_sessions(engine, container)
        before = descriptors()
        use_sessions(engine, container)
        wait_until(lambda: descriptors() <= before, "the descriptors to be closed")


def use_sessions(engine: NativeEngine, container: str) -> None:
    """Use each kind of session once."""
    for fields in ({}, {"tty": True, "stdin": True}, {"stdin": True}, {"detach": True}):
        with shell(engine, container, "true", **fields) as session:
            session.wait(20.0)
    with shell(engine, container, "sleep 1000", tty=True):
        pass
    with engine.attach_container(container, stdin=True):
        pass
    engine.copy_from(container, "/etc", lambda _: None)
    wait_until(lambda: not any(one.running for one in engine.list_execs(container)), "all ends")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_runs_is_gone_when_the_container_is(home: NativeHome) -> None:
    with home.engine() as engine:
        container = run(engine)
        shell(engine, container, "exec sleep 1000", detach=True)
        pid = pid_of(engine, container)
        engine.remove_container(container, force=True)
        assert not process.is_running(pid)


def test_a_fake_terminal_of_the_container_is_not_taken(home: NativeHome) -> None:
    script = "rm /dev/ptmx; mkfifo /dev/ptmx; chmod 666 /dev/ptmx; echo ready; sleep 1000"
    with home.engine() as engine:
        spec = ContainerSpec(name="box", image="busybox", command=("sh", "-c", script))
        container = engine.start_container(engine.create_container(spec).id).id
        wait_until(lambda: bool(engine.read_logs(container)), "the container to be ready")
        with shell(engine, container, "true", tty=True) as session:
            assert gather(session)["stdout"]
            assert session.wait(20.0) == 126
