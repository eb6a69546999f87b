"""The icons of the panel: the symbols of static/img/icons.svg, by name."""

from functools import cache
from xml.etree import ElementTree

from django.contrib.staticfiles import finders

SPRITE = "img/icons.svg"
_SYMBOL = "{http://www.w3.org/2000/svg}symbol"


@cache
def icon_names() -> frozenset[str]:
    """Every name that ``{% icon %}`` accepts. Reads the sprite once in a process."""
    path = finders.find(SPRITE)
    if not isinstance(path, str):
        return frozenset()
    root = ElementTree.parse(path).getroot()  # noqa: S314 - a file of our own, not input
    return frozenset(symbol.attrib["id"] for symbol in root.iter(_SYMBOL))
