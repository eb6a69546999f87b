import os
import signal
import sys
from pathlib import Path

import pytest

from agents.errors import NotFoundError, ProgramError, TimedOutError
from agents.linux import process


def test_it_returns_what_the_program_wrote() -> None:
    done = process.run(["sh", "-c", "cat; echo oops >&2; exit 3"], input=b"in", check=False)
    assert (done.stdout, done.stderr, done.exit_code) == (b"in", b"oops\n", 3)


def test_a_failure_names_the_program_the_code_and_the_last_line() -> None:
    with pytest.raises(ProgramError, match="sh ended with exit code 3: oops") as raised:
        process.run(["sh", "-c", "echo first >&2; echo oops >&2; exit 3"])
    assert raised.value.stderr == "first\noops"
    assert raised.value.argv[0] == "sh"


def test_a_signal_is_told_apart_from_an_exit() -> None:
    with pytest.raises(ProgramError, match="was ended by SIGTERM"):
        process.run(["sh", "-c", "kill -TERM $$"])


def test_a_missing_program_says_that_it_is_not_installed() -> None:
    with pytest.raises(ProgramError, match="no-such-program is not installed") as raised:
        process.run(["no-such-program"])
    assert raised.value.exit_code == 127


def test_a_missing_folder_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="the folder .*gone to run true in"):
        process.run(["true"], cwd=tmp_path / "gone")


def test_a_program_that_never_ends_is_stopped() -> None:
    with pytest.raises(TimedOutError, match=r"sleep did not end within 0\.1 seconds"):
        process.run(["sleep", "60"], timeout=0.1)


def test_only_the_named_descriptors_are_inherited() -> None:
    reader, writer = os.pipe()
    child = process.spawn(["sh", "-c", f"echo hi >/proc/self/fd/{writer}"], pass_fds=(writer,))
    os.close(writer)
    assert os.read(reader, 10) == b"hi\n"
    os.close(reader)
    assert child.wait(10) == 0


def test_stopping_ends_a_process_that_ignores_sigterm() -> None:
    script = "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
    child = process.spawn([sys.executable, "-c", f"{script}; signal.pause()"], stdout=process.PIPE)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"up\n"
    process.stop(child.pid, grace=0.05)
    assert not process.is_running(child.pid)
    process.stop(child.pid)
    child.wait(10)


def test_a_pidfd_reports_the_end_of_its_process() -> None:
    child = process.spawn(["sleep", "60"])
    pidfd = process.open_pidfd(child.pid)
    assert process.start_time(child.pid) is not None
    assert not process.wait_pidfd(pidfd, 0)
    assert process.send_signal(pidfd, signal.SIGKILL)
    assert process.wait_pidfd(pidfd, 10)
    child.wait(10)
    assert not process.send_signal(pidfd, signal.SIGKILL)
    os.close(pidfd)
    assert process.start_time(child.pid) is None


def test_there_is_no_pidfd_of_a_process_that_is_not_there() -> None:
    child = process.spawn(["true"])
    child.wait(10)
    with pytest.raises(NotFoundError):
        process.open_pidfd(child.pid)
