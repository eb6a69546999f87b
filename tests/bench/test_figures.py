"""Figures of benchmarks: the median counts, and each part renews its own in the file."""

from pathlib import Path

import msgspec

from benchmarks.figures import Figure, compared, measured, save, table


def read(file: Path) -> dict[str, Figure]:
    figures = msgspec.json.decode(file.read_bytes(), type=list[Figure])
    return {figure.name: figure for figure in figures}


def test_the_median_and_the_distance_of_the_quartiles_are_given() -> None:
    figure = measured("deploy", "s", [1, 2, 3, 4, 100])
    assert (figure.ours, figure.spread, figure.runs) == (3, 2, 5)


def test_a_part_leaves_the_figures_of_others_alone(tmp_path: Path) -> None:
    file = tmp_path / "build" / "bench.json"
    save([measured("one", "s", [1]), measured("two", "s", [2])], file)
    save([measured("two", "s", [5])], file)
    assert {name: figure.ours for name, figure in read(file).items()} == {"one": 1, "two": 5}


def test_the_file_has_what_readers_of_it_expect(tmp_path: Path) -> None:
    save([measured("one", "s", [1])], tmp_path / "bench.json")
    (row,) = msgspec.json.decode((tmp_path / "bench.json").read_bytes())
    wanted = {"name", "unit", "ours", "peer", "peer_name", "ratio", "floor", "runs", "spread"}
    assert wanted <= set(row)


def test_a_peer_that_takes_thrice_as_long_gives_a_ratio_of_three() -> None:
    figure = compared("start", "ms", [10, 20, 30], [60, 50, 70], "another", least_ratio=3)
    assert (figure.ours, figure.peer, figure.peer_name, figure.ratio) == (20, 60, "another", 3)


def test_a_bar_is_met_or_not_and_without_a_peer_nobody_knows() -> None:
    better, worse = compared("a", "s", [1], [4], least_ratio=4), compared("b", "s", [1], [3.9])
    worse = msgspec.structs.replace(worse, least_ratio=4)
    alone = compared("c", "s", [1], least_ratio=4)
    assert [figure.met for figure in (better, worse, alone)] == [True, False, None]
    assert [measured("d", "s", [2], bar=bar).met for bar in (2, 1, None)] == [True, False, None]


def test_the_table_has_a_line_for_each_figure() -> None:
    head, row = table([measured("deploy", "s", [0.25], floor=0.1, bar=1)]).splitlines()
    columns = "what ours spread floor bar peer ratio wanted met runs"
    assert head.split() == columns.split()
    assert " ".join(row.split()) == "deploy 0.25 s 0 s 0.1 s 1 s – – – yes 1"
