"""Files of variables."""

import pytest

from agents.compose.dotenv import DotenvError, parse_dotenv, parse_raw_dotenv


def nothing(name: str) -> str | None:
    return None


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A = b ", "b"),
        ("A: b", "b"),
        ("A=b # remark", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        (r'A="x\ny"', "x\ny"),
        (r"A='x\n$Y'", r"x\n$Y"),
        (r'A="\$Y"', "$Y"),
        ('A="two\nlines" # remark', "two\nlines"),
        ("A=b\r\n", "b"),
    ],
)
def test_a_value_is_read(line: str, value: str) -> None:
    assert parse_dotenv(line, nothing) == {"A": value}


def test_a_variable_comes_from_outside_first_and_from_above_next() -> None:
    outside = {"A": "outer"}
    assert parse_dotenv("A=1\nB=2\nC=$A$B", outside.get)["C"] == "outer2"


def test_a_name_alone_takes_the_value_from_outside() -> None:
    assert parse_dotenv("A\nB\n", {"A": "x"}.get) == {"A": "x"}


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\nB C\n", 2), ("A='open\n", 1), ("\n\nA$=1", 3), ('A="x" y', 1), ("A=1\nB=${\n", 2)],
)
def test_a_wrong_line_is_named(text: str, line: int) -> None:
    with pytest.raises(DotenvError) as caught:
        parse_dotenv(text, nothing)
    assert caught.value.line == line


def test_a_raw_file_keeps_its_values() -> None:
    assert parse_raw_dotenv("# x\nA='b' $C\n") == {"A": "'b' $C"}
