"""Programs of the set-up: their failure is a sentence, not a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from setup.alone import alone
from setup.places import Places
from setup.problem import Problem
from setup.run import run, succeeds

ROOT = Path(__file__).resolve().parents[2]


def test_a_failing_program_is_told_with_its_last_words_and_the_advice() -> None:
    with pytest.raises(Problem) as caught:
        run(["sh", "-c", "echo no route >&2; exit 4"], failed="Fetching failed.", do="Mend it.")
    assert caught.value.what == "Fetching failed.\nno route\n"
    assert caught.value.do == "Mend it."


def test_a_full_disk_is_told_in_place_of_a_program_s_last_words() -> None:
    script = "echo 'Traceback: [Errno 28] No space left on device' >&2; exit 1"
    with pytest.raises(Problem) as caught:
        run(["sh", "-c", script], failed="Fetching failed.", do="Mend the network.")
    assert str(caught.value) == (
        "Fetching failed. The disk is full. Free some space, then run it again."
    )


@pytest.mark.parametrize(
    "words",
    [
        "E: Failed to fetch x  Temporary failure resolving 'mirror'",
        "NewConnectionError: Failed to establish a new connection: [Errno 101]",
        "npm error code ENOTFOUND",
        "error: Request failed: dns error: failed to lookup address information",
    ],
)
def test_a_machine_without_a_network_gets_one_sentence(words: str) -> None:
    program = f"echo {words!r} >&2; exit 1" if "'" not in words else f'echo "{words}" >&2; exit 1'
    with pytest.raises(Problem, match="The package registries cannot be reached") as caught:
        run(["sh", "-c", program])
    assert "Check this machine's network" in caught.value.do


def test_a_missing_program_is_named() -> None:
    with pytest.raises(Problem, match="The program no-such-program is not here"):
        run(["no-such-program"])


def test_a_program_that_hangs_is_stopped() -> None:
    with pytest.raises(Problem, match="did not end in 0 s"):
        run(["sleep", "60"], timeout=0.05)


def test_success_and_failure_are_told_apart() -> None:
    assert succeeds(["true"])
    assert not succeeds(["false"])
    assert not succeeds(["no-such-program"])


def test_another_project_s_environment_does_not_leak_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    assert run(["sh", "-c", "echo ${VIRTUAL_ENV:-none}"]) == "none\n"


@pytest.mark.parametrize("words", [["nonsense"], ["status", "--help"], []])
def test_what_is_no_command_shows_the_usage(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "setup", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "up|down|status" in done.stderr


def test_whoever_is_not_root_gets_one_sentence() -> None:
    program = (
        "import os; from setup.__main__ import main;"
        " os.setuid(65534); raise SystemExit(main(['up']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "You are not root. Run it as root, for example: sudo make up"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "setup", "up"],
        cwd=ROOT,
        env={**os.environ, "WEBPANEL_HOME": str(tmp_path / "file" / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("Mend that, then run it again.")
    assert "Traceback" not in done.stderr


def test_two_set_ups_do_not_work_on_one_home(tmp_path: Path) -> None:
    places = Places(home=tmp_path / "home", run=tmp_path / "run")
    with alone(places), pytest.raises(Problem, match="Another set-up"), alone(places):
        pass
    with alone(places):
        pass
