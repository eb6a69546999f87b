"""Reading the logs that conmon keeps: right, and quick however long they are."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.engines.native.containers import logs
from agents.engines.native.containers.log_files import LogFiles
from agents.engines.native.containers.logs import LogRange, read_lines
from agents.protocol.records import LogLine

STAMP = "2026-01-02T03:04:05.678901234+00:00"


def write(path: Path, *records: str) -> LogFiles:
    path.write_text("".join(f"{STAMP} {record}\n" for record in records))
    return LogFiles(path)


def read(
    log: LogFiles,
    after: int = 0,
    before: int = 0,
    limit: int = 100,
    newest: bool = False,
    *,
    growing: bool = False,
) -> tuple[LogLine, ...]:
    wanted = LogRange(after=after, before=before, limit=limit, newest=newest)
    with log.opened(growing=growing) as data:
        return read_lines("c", data, wanted)


def end_position(log: LogFiles, *, growing: bool = False) -> int:
    with log.opened(growing=growing) as data:
        return logs.end_position(data)


def test_a_record_is_taken_apart(tmp_path: Path) -> None:
    (line,) = read(write(tmp_path / "log", "stderr F some text "))
    assert (line.stream, line.text, line.partial) == ("stderr", "some text ", False)
    assert line.at == pytest.approx(1767323045.678901)
    assert (line.previous, line.position) == (0, (tmp_path / "log").stat().st_size)


def test_pieces_of_a_line_are_put_together(tmp_path: Path) -> None:
    log = write(tmp_path / "log", "stdout F a", "stdout P be", "stdout P gi", "stdout F n")
    for newest in (False, True):
        lines = read(log, newest=newest)
        assert [(one.text, one.partial) for one in lines] == [("a", False), ("begin", False)]
        assert lines[1].previous == lines[0].position
    assert [one.text for one in read(log, limit=1, newest=True)] == ["begin"]
    assert end_position(log) == lines[1].position


def test_a_piece_without_its_rest_is_marked(tmp_path: Path) -> None:
    lines = read(write(tmp_path / "log", "stdout P a", "stderr F other", "stdout P prompt"))
    assert [(one.text, one.partial) for one in lines] == [
        ("a", True),
        ("other", False),
        ("prompt", True),
    ]


def test_a_fresh_piece_of_a_growing_log_is_held_back(tmp_path: Path) -> None:
    log = write(tmp_path / "log", "stdout F a", "stdout P prompt")
    assert [one.text for one in read(log, growing=True)] == ["a", "prompt"]
    now = datetime.now(UTC).isoformat()
    log.path.write_text(f"{STAMP} stdout F a\n{now} stdout P be\n{now} stdout P gi\n")
    assert [one.text for one in read(log, growing=True)] == ["a"]
    assert end_position(log, growing=True) == read(log, growing=True)[-1].position
    assert [one.text for one in read(log)] == ["a", "begi"]


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(f"{STAMP} stdout F ".encode() + b"\xff\xfe\n")
    assert read(LogFiles(path))[0].text == "��"


def test_a_line_that_is_being_written_is_not_read_yet(tmp_path: Path) -> None:
    log = write(tmp_path / "log", "stdout F whole")
    with log.path.open("a") as file:
        file.write(f"{STAMP} stdout F ha")
    assert [one.text for one in read(log)] == ["whole"]
    assert [one.text for one in read(log, newest=True)] == ["whole"]


def test_a_line_that_was_cut_off_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(f"{STAMP} stdout F cut")
    LogFiles(path).end_last_line()
    LogFiles(path).end_last_line()
    assert [one.text for one in read(LogFiles(path))] == ["cut"]


def test_positions_count_what_came_before_the_file(tmp_path: Path) -> None:
    log = write(tmp_path / "log", "stdout F a", "stdout F b")
    plain = read(log)
    (tmp_path / f"log.{1000:020d}").touch()
    moved = read(log)
    assert [one.position for one in moved] == [one.position + 1000 for one in plain]
    assert [one.text for one in read(log, after=moved[0].position)] == ["b"]
    assert [one.text for one in read(log, after=5)] == ["a", "b"]
    assert [one.text for one in read(log, before=moved[1].position)] == ["a"]
    assert end_position(log) == moved[1].position


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    log = LogFiles(tmp_path / "none")
    assert read(log) == ()
    assert end_position(log) == 0


def test_every_window_of_a_log_is_as_in_a_list(tmp_path: Path) -> None:
    log = write(tmp_path / "log", *(f"stdout F {'x' * n}" for n in range(12)))
    lines = read(log)
    ends = [0, *(one.position for one in lines)]
    for after in ends:
        for before in ends:
            for limit in (1, 3, 100):
                expected = [
                    one
                    for one in lines
                    if after < one.position and (before == 0 or one.position < before)
                ]
                assert list(read(log, after, before, limit)) == expected[:limit]
                assert list(read(log, after, before, limit, True)) == expected[-limit:]


def test_thirty_thousand_lines_are_read_within_a_second(tmp_path: Path) -> None:
    log = write(tmp_path / "log", *(f"stdout F line {n}" for n in range(30_000)))
    started = time.process_time()
    assert len(read(log, limit=30_000)) == 30_000
    assert time.process_time() - started < 1.0


def test_the_newest_lines_of_a_long_log_come_at_once(tmp_path: Path) -> None:
    log = write(tmp_path / "log", *(f"stdout F line {n}" for n in range(300_000)))
    started = time.process_time()
    assert [one.text for one in read(log, limit=2, newest=True)] == [
        "line 299998",
        "line 299999",
    ]
    assert time.process_time() - started < 0.1
