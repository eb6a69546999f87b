"""The tree keeps its shape: small files, short functions, decisions and settings in order."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("agents", "apps", "webpanel", "setup", "tests", "benchmarks")
SOURCES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_under_400_lines_and_its_functions_under_50(path: Path) -> None:
    text = path.read_text()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, functions) and node.end_lineno - node.lineno >= 50
    ]
    assert text.count("\n") < 400
    assert long == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda p: p.name
)
def test_a_script_of_ours_stays_under_400_lines(path: Path) -> None:
    assert path.read_text().count("\n") < 400


def test_each_decision_has_its_own_number_and_its_four_parts() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [path.name[:4] for path in decisions]
    assert len(set(numbers)) == len(numbers) > 0
    for path in decisions:
        text = path.read_text()
        assert re.search(r"^Status: ", text, re.MULTILINE), path.name
        assert {"## Context", "## Decision", "## Consequences"} <= set(text.splitlines()), path.name


def test_every_module_of_ours_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.name != "__init__.py"
        and path.parts[len(ROOT.parts)] != "tests"
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_templates_have_no_inline_script_or_style() -> None:
    """The content security policy refuses them, so they would fail only in the browser."""
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|\sstyle=\"|\son[a-z]+=\""
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for match in inline.finditer(path.read_text())
    ]
    assert found == []
