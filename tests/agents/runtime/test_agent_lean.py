"""The agent begins again as a lean process: compiled once, and never for ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from agents.worker import lean
os.execve = lambda path, argv, environment: print(argv[1:], sorted(environment.items()))
import msgspec
"""


def say(text: str, *options: str, **environment: str) -> str:
    """Return what a Python says that runs the text, and becomes nobody else."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    argv = (sys.executable, *options, "-c", PROGRAM + text)
    return subprocess.run(
        argv, env={**kept, **environment}, capture_output=True, text=True, check=True
    ).stdout


def begin(root: Path, **environment: str) -> str:
    return say(f"lean.begin(('run',), __import__('pathlib').Path({str(root)!r}))", **environment)


def test_it_begins_without_docstrings_and_with_its_own_folder_for_bytecode(tmp_path: Path) -> None:
    told = begin(tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert "['-OO', '-m', 'agents', 'run']" in told
    assert f"('PYTHONPYCACHEPREFIX', '{tmp_path}/bytecode')" in told
    assert "DONTWRITE" not in told


def test_a_folder_that_somebody_chose_is_kept(tmp_path: Path) -> None:
    assert f"'{tmp_path}/mine'" in begin(tmp_path, PYTHONPYCACHEPREFIX=f"{tmp_path}/mine")


def test_links_can_be_listed_without_the_whole_of_pyroute2() -> None:
    told = say(
        "lean.begin((), __import__('pathlib').Path('/'))\n"
        "from agents.linux import netlink\n"
        "print(any(link.name == 'lo' for link in netlink.list_links()))\n"
        "print('pyroute2.ndb.main' in sys.modules)\n",
        "-OO",
    )
    assert told.split() == ["True", "False"]


def test_a_lean_process_goes_on_as_it_is(tmp_path: Path) -> None:
    assert say("lean.begin((), __import__('pathlib').Path('/'))", "-OO") == ""


@pytest.mark.parametrize("options", [(), ("-OO",)])
def test_it_begins_again_only_after_modules_were_compiled(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    told = [
        say("lean.begin_again(('run',))", *options, PYTHONPYCACHEPREFIX=str(tmp_path))
        for _ in range(2)
    ]
    assert "WEBPANEL_AGENT_COMPILED" in told[0]
    assert told[1] == ""


def test_it_begins_again_only_once_where_nothing_can_be_kept(tmp_path: Path) -> None:
    told = say(
        "lean.begin_again(('run',))",
        PYTHONPYCACHEPREFIX=f"{tmp_path}/none",
        PYTHONDONTWRITEBYTECODE="1",
        WEBPANEL_AGENT_COMPILED="1",
    )
    assert told == ""
