"""Text is readable on what it stands on: WCAG 2.2 AA, a contrast of 4.5 to 1, in both themes."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[3] / "static" / "css" / "tokens.css"
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
    for part in TOKENS.read_text().split(':root[data-theme="dark"]')
)
THEMES = {"light": LIGHT, "dark": {**LIGHT, **DARK}}
GROUNDS = ("bg", "bg-sidebar", "surface", "surface-sunken", "surface-hover", "surface-active")
SPECTRUM = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
PAIRS = [
    *((text, ground) for text in ("text", "text-muted", "text-faint") for ground in GROUNDS),
    *((f"{tone}-text", f"{tone}-soft") for tone in ("success", "warning", "danger", "info")),
    *((f"series-{number}", "surface-sunken") for number in range(1, 9)),
    *((f"ansi-{name}", "surface-sunken") for name in SPECTRUM),
    *(
        ("on-accent", f"{ground}{hover}")
        for ground in ("accent", "danger")
        for hover in ("", "-hover")
    ),
    ("accent-text", "bg"),
    ("accent-text", "surface"),
    ("accent-text", "accent-soft"),
    ("text-muted", "neutral-soft"),
]


def luminance(colour):
    """As WCAG 2.2 defines it: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_a_colour_of_text_is_readable(theme, text, ground):
    darker, lighter = sorted(luminance(THEMES[theme][name]) for name in (text, ground))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
