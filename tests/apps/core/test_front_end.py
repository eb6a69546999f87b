"""What holds for all templates, style sheets and scripts."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from apps.core.icons import icon_names

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}", re.DOTALL)
# The content security policy refuses them, so they would do nothing.
INLINE = re.compile(r"""\s(?:style|on\w+|hx-on[\w:-]*)\s*=\s*["']|<style|<script(?![^>]*\ssrc=)""")


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_a_template_has_no_inline_style_or_script(path):
    assert INLINE.findall(COMMENT.sub("", path.read_text())) == []


def test_every_icon_that_a_template_names_exists():
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r"""(?:{% icon |\bicon=)["']([\w-]+)["']""", path.read_text())
    }
    assert named - icon_names() == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_script_has_one_behaviour_in_fewer_than_100_lines(path):
    assert len(path.read_text().splitlines()) < 100


@pytest.mark.parametrize("path", SHEETS, ids=relative)
def test_a_style_sheet_uses_only_custom_properties_that_exist(path):
    tokens = "".join(sheet.read_text() for sheet in SHEETS)
    used = set(re.findall(r"var\((--[\w-]+)", path.read_text()))
    assert used - set(re.findall(r"(--[\w-]+):", tokens)) == set()


def test_every_style_sheet_is_loaded_by_a_template():
    templates = "".join(path.read_text() for path in TEMPLATES)
    assert [sheet.name for sheet in SHEETS if f"css/{sheet.name}" not in templates] == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests/js").glob("*.test.js")), ids=relative)
def test_the_scripts_pass_their_own_tests(path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not in PATH.")
    run = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout
