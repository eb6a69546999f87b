"""YAML within bounds, with places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.compose.nodes import ListNode, MapNode, ScalarNode
from agents.compose.yamltext import parse_yaml


def plain(text: str) -> object:
    root, problems = parse_yaml(text, "f.yml")
    assert problems == ()
    return simplify(root)


def simplify(node: object) -> object:
    if isinstance(node, MapNode):
        return {key: simplify(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [simplify(item) for item in node.items]
    assert isinstance(node, ScalarNode)
    return node.value


def test_every_node_knows_its_place() -> None:
    root, _ = parse_yaml("a:\n  - b: 1\n", "f.yml")
    assert isinstance(root, MapNode)
    items = root.entries["a"].node
    assert isinstance(items, ListNode)
    assert items.items[0].place == ("f.yml", 2, 5)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("22:22", "22:22"), ("true", True), ("~", None), ("0x1F", 31),
        ("0o17", 15), ("0755", 493), ("1_000", 1000), ("1.50", 1.5), ("1e3", 1000.0),
        ("08", 8), ("2001-01-01", "2001-01-01"), ("'5'", "5"), ("!!str 5", "5"), ("-", [None]),
    ],
)  # fmt: skip
def test_a_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    assert plain(f"k: {text}" if text != "-" else "k:\n - ") == {"k": value}


def test_anchors_and_merge_keys_are_followed() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  x: 9\n  <<: [*a, *b]\n"
    assert plain(text)["c"] == {"x": 9, "y": 2, "z": 4}


def test_a_key_that_is_there_twice_is_a_problem_with_its_place() -> None:
    _, problems = parse_yaml("a:\n  b: 1\n  b: 2\n", "f.yml")
    assert [(p.line, p.path, p.code) for p in problems] == [(3, "a.b", "duplicate_key")]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + previous] * 10)}]\n"
    for previous, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 50000 values"),
        ("[" * 100_000, "nested deeper"),
        ("a: " + "x" * 1_100_000, "larger than"),
        ("a: &a [*a]", "inside &a itself"),
        ("a: *b", "no &b above"),
        ("a: 1\n---\nb: 2\n", "second YAML document"),
        ("a: !reset null", "tag !reset is not supported"),
        ("a: !!python/object:os.system x", "not supported"),
        ("<<: 5", "takes a mapping"),
        ("a: [1", "not YAML"),
        ("a:\n\tb: 1", "not YAML"),
        ("? [a]\n: b", "single word"),
        ("a: \x00", "not YAML"),
    ],
)
def test_what_is_dangerous_or_broken_is_refused(text: str, message: str) -> None:
    root, problems = parse_yaml(text, "f.yml")
    assert root is None
    assert message in problems[-1].message


def test_a_syntax_error_has_a_line_and_a_column() -> None:
    _, problems = parse_yaml("a: 1\nb: [1, 2\nc: 3\n", "f.yml")
    assert (problems[0].line, problems[0].column) == (3, 2)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:\n\tb: 1\n", "not with tabs"),
        ("a:\n  b: 1\n c: 2\n", "indentation of this line"),
        ("a:\n- b\nc: d: e\n", "quote a value"),
        ("a: @x\n", "in quotes"),
    ],
)
def test_a_syntax_error_says_what_to_do(text: str, hint: str) -> None:
    _, problems = parse_yaml(text, "f.yml")
    assert hint in problems[0].hint


@given(st.text(alphabet="ab:-[]{}&*<>!?|'\"# \n\t0123.~,%@"))
def test_no_text_makes_it_crash(text: str) -> None:
    parse_yaml(text, "f.yml")
