"""Where the time goes: each part is named, and nothing stays wrapped."""

import os
import threading
from pathlib import Path

from agents.engines.native import runtime
from agents.linux import mounts, process
from benchmarks.spans import PYTHON, SYNC, traced


def test_the_parts_are_named_by_what_they_do(tmp_path: os.PathLike[str]) -> None:
    with traced() as spans:
        process.run(("true",))
        mounts.read_mounts()
        folder = os.open(tmp_path, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    assert set(spans.taken) == {PYTHON, "true", "mounts", SYNC}


def test_a_call_of_the_runtime_is_named_by_what_it_is_asked(tmp_path: Path) -> None:
    with traced() as spans:
        runtime.run(tmp_path, "start", "nowhere", check=False)
    assert set(spans.taken) == {PYTHON, "the runtime's start"}


def test_what_a_part_runs_for_itself_counts_as_that_part() -> None:
    with traced() as spans:
        spans.enter("outer")
        process.run(("true",))
        spans.leave()
    assert set(spans.taken) == {PYTHON, "outer"}


def test_other_threads_are_not_counted() -> None:
    with traced() as spans:
        other = threading.Thread(target=process.run, args=(("true",),))
        other.start()
        other.join()
    assert set(spans.taken) == {PYTHON}


def test_afterwards_nothing_is_wrapped() -> None:
    before = process.run, os.fsync
    with traced():
        wrapped = process.run, os.fsync
    assert (process.run, os.fsync) == before
    assert all(one is not other for one, other in zip(before, wrapped, strict=True))
