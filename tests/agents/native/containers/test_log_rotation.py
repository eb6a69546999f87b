"""Logs are kept within their bounds, and no line is lost or doubled by that."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.engines.native.containers.log_files import LogFiles
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, LogSpec
from agents.protocol.records import LogLine
from tests.agents.native.containers.test_container_logs import read, write
from tests.contracts.bench import unique
from tests.native_engine import NativeHome
from tests.waiting import wait_until

COUNT = "i=0; while [ $i -lt {end} ]; do i=$((i+1)); echo $i; done"
ENDLESS = "trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo $i; done"
SMALL = LogSpec(max_size=100_000, max_files=10_000)
AGENT = """
import sys, signal
from pathlib import Path
from agents.engines.native.engine import NativeEngine
engine = NativeEngine(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
engine.start()
print("started", flush=True)
signal.pause()
"""


def texts(lines: Sequence[LogLine]) -> list[str]:
    return [line.text for line in lines]


def assert_whole(lines: Sequence[LogLine]) -> None:
    """Check that the lines are those of a script that counts, each once."""
    first = int(lines[0].text)
    assert texts(lines) == [str(first + n) for n in range(len(lines))]
    assert all(one.position == two.previous for one, two in zip(lines, lines[1:], strict=False))


def test_files_read_as_the_one_that_they_were(tmp_path: Path) -> None:
    records = [
        *("stdout F a", "stdout P be", "stdout P gi", "stderr P x", "stdout P mid", "stdout F n"),
        *("stdout F", "stderr F end"),
    ]
    whole = read(write(tmp_path / "whole", *records))
    for first in range(len(records)):
        for second in range(first, len(records)):
            log = LogFiles(tmp_path / f"log-{first}-{second}")
            for chunk in (records[:first], records[first:second]):
                write(log.path, *chunk)
                assert log.set_aside()
            write(log.path, *records[second:])
            ends = [0, *(one.position for one in whole)]
            for after in ends:
                for newest in (False, True):
                    expected = [one for one in whole if one.position > after]
                    expected = expected[-2:] if newest else expected[:2]
                    assert list(read(log, after, limit=2, newest=newest)) == expected


def test_the_oldest_files_go_and_positions_stay(tmp_path: Path) -> None:
    log = LogFiles(tmp_path / "log")
    for text in "abcd":
        write(log.path, f"stdout F {text}")
        log.set_aside()
    before = read(log)
    write(log.path, "stdout F e")
    log.remove_oldest(count=2, size=10_000)
    assert texts(read(log)) == ["c", "d", "e"]
    assert read(log)[0].previous == before[1].position
    assert read(log)[:2] == before[2:]
    log.remove_oldest(count=0, size=0)
    assert texts(read(log)) == ["e"]
    assert read(log)[0].previous == before[3].position
    log.set_aside()
    write(log.path, "stdout F f")
    assert texts(read(log)) == ["e", "f"]
    assert read(log)[0].previous == before[3].position


def test_files_are_removed_by_their_size_too_but_never_the_newest(tmp_path: Path) -> None:
    log = LogFiles(tmp_path / "log")
    for text in "abc":
        write(log.path, f"stdout F {text * 100}")
        log.set_aside()
    write(log.path, "stdout F end")
    log.remove_oldest(count=10, size=10)
    assert texts(read(log)) == ["c" * 100, "end"]


def test_nothing_is_removed_while_the_newest_file_is_still_written(tmp_path: Path) -> None:
    log = write(tmp_path / "log", "stdout F a")
    assert log.set_aside()
    assert not log.set_aside()
    log.remove_oldest(count=0, size=0)
    assert texts(read(log)) == ["a"]
    log.end_last_line()
    log.remove_oldest(count=0, size=0)
    assert read(log) == ()


@pytest.mark.root
class TestRunning:
    def start(self, engine: NativeEngine, script: str, log: LogSpec) -> str:
        made = engine.create_container(
            ContainerSpec(name=unique("c"), image="busybox", command=("sh", "-c", script), log=log)
        )
        return engine.start_container(made.id).id

    def files(self, home: NativeHome, container_id: str) -> list[Path]:
        return list(ContainerPaths.of(home.root, home.run, container_id).state.glob("output.log*"))

    def test_no_line_is_lost_or_doubled_for_who_follows_at_full_load(
        self, home: NativeHome
    ) -> None:
        end = 150_000
        with home.engine() as engine:
            container_id = self.start(engine, COUNT.format(end=end), SMALL)
            followed: list[LogLine] = []
            while engine.wait_logs(container_id, after=position(followed), timeout=10.0):
                followed += engine.read_logs(container_id, after=position(followed), limit=100_000)
            assert len(followed) == end
            assert_whole(followed)
            assert tuple(followed) == engine.read_logs(container_id, limit=end)
            assert len(self.files(home, container_id)) > 3
            assert texts(engine.read_logs(container_id, limit=2, newest=True)) == [
                str(end - 1),
                str(end),
            ]

    def test_a_chatty_container_stays_within_its_bound(self, home: NativeHome) -> None:
        with home.engine() as engine:
            spec = LogSpec(max_size=1_000_000, max_files=3)
            container_id = self.start(engine, ENDLESS, spec)

            def has_lost() -> bool:
                lines = engine.read_logs(container_id, limit=1)
                return bool(lines) and lines[0].previous > 20_000_000

            wait_until(has_lost, "old lines to go")
            engine.stop_container(container_id)
            size = sum(path.stat().st_size for path in self.files(home, container_id))
            assert len(self.files(home, container_id)) <= 4
            # A tenth of a second at full speed may come on top of each file.
            assert size < 15_000_000
            assert_whole(engine.read_logs(container_id, limit=1_000_000))

    def test_one_file_is_enough(self, home: NativeHome) -> None:
        with home.engine() as engine:
            container_id = self.start(engine, ENDLESS, LogSpec(max_size=100_000, max_files=1))

            def has_lost() -> bool:
                lines = engine.read_logs(container_id, limit=1)
                return bool(lines) and lines[0].previous > 5_000_000

            wait_until(has_lost, "old lines to go")
            engine.stop_container(container_id)
            assert_whole(engine.read_logs(container_id, limit=1_000_000))
            engine.start_container(container_id)
            assert engine.wait_logs(
                container_id,
                after=engine.read_logs(container_id, newest=True)[-1].position,
                timeout=10.0,
            )

    def test_an_agent_that_is_killed_while_logs_rotate_loses_no_line(
        self, home: NativeHome
    ) -> None:
        with home.engine() as engine:
            container_id = self.start(engine, ENDLESS, LogSpec(max_size=1000, max_files=10_000))
        argv = [sys.executable, "-c", AGENT, str(home.root), str(home.run), home.uid]
        for _ in range(3):
            before = set(self.files(home, container_id))
            with subprocess.Popen(argv, stdout=subprocess.PIPE) as agent:
                assert agent.stdout is not None
                try:
                    assert agent.stdout.readline() == b"started\n"
                    # How many are kept depends on how fast this machine writes.
                    wait_until(
                        lambda before=before: len(set(self.files(home, container_id)) - before) > 1,
                        "other files",
                    )
                finally:
                    agent.send_signal(signal.SIGKILL)
        with home.engine() as engine:
            engine.stop_container(container_id)
            assert_whole(engine.read_logs(container_id, limit=10_000_000))

    def test_readers_and_rotation_do_not_meet(self, home: NativeHome) -> None:
        with home.engine() as engine:
            container_id = self.start(engine, ENDLESS, LogSpec(max_size=1000, max_files=3))
            wrong: list[tuple[LogLine, ...]] = []

            def look() -> None:
                for _ in range(100):
                    lines = engine.read_logs(container_id, limit=200, newest=True)
                    if texts(lines) != [str(int(lines[0].text) + n) for n in range(len(lines))]:
                        wrong.append(lines)

            wait_until(lambda: len(engine.read_logs(container_id)) > 0, "a first line")
            readers = [threading.Thread(target=look) for _ in range(3)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            assert wrong == []


def position(lines: Sequence[LogLine]) -> int:
    return lines[-1].position if lines else 0
