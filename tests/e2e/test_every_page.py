"""Every page, wide and narrow, light and dark: nothing sticks out, nothing is refused."""

import re
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import RESULTS
from tests.e2e.people import Visitor
from tests.panel_client import PanelClient

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow]

LOOKS = [
    (f"{width}-{scheme}", {"width": width, "height": height}, scheme)
    for width, height in ((1440, 900), (390, 844))
    for scheme in ("light", "dark")
]
LINK = re.compile(r'href="(/[^"#?]*)')
# What a link leads to that is no page, or that ends the session.
NO_PAGE = ("/static/", "/accounts/logout", "/agent/")
STICKS_OUT = """() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  const out = (element) => element.getBoundingClientRect().right > limit + 1;
  return [...document.querySelectorAll("body *")].filter(out).map(
    (element) => `${element.tagName}.${element.className}`.slice(0, 80)).slice(0, 5)
    .concat(`${document.documentElement.scrollWidth} px`);
}"""
FOCUS = """() => {
  const { activeElement, body } = document;
  if (activeElement === body) return "";
  const style = getComputedStyle(activeElement);
  const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
  return seen ? "" : activeElement.outerHTML.slice(0, 120);
}"""
TABS = 12


def all_pages(client: PanelClient) -> Iterator[str]:
    """Follow links from the dashboard; of pages that differ by ids alone, take one."""
    waiting, seen = ["/", "/styleguide"], set()
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"[0-9a-f]{12,}|\b\d+\b", "*", path)
        if kind in seen or path.startswith(NO_PAGE):
            continue
        seen.add(kind)
        page = client.get(path)
        assert page.status == 200, f"{path}: {page.status}"
        yield path
        waiting += LINK.findall(page.text)


def test_every_page_fits_and_has_no_trouble(owner: Visitor, client: PanelClient) -> None:
    wrong = []
    for path in all_pages(client):
        wrong += [f"{path} {each}" for each in faults(owner, path)]
    assert not wrong, "\n".join(wrong)


def faults(visitor: Visitor, path: str) -> Iterator[str]:
    """Look at one page in all ways; saves a picture of each."""
    visitor.troubles.clear()
    visitor.open(path)
    name = re.sub(r"[0-9a-f]{12,}", "id", path.strip("/")).replace("/", "-") or "dashboard"
    for look, size, scheme in LOOKS:
        visitor.page.set_viewport_size(size)
        visitor.page.emulate_media(color_scheme=scheme)
        out = visitor.page.evaluate(STICKS_OUT)
        if out:
            yield f"sticks out at {look}: {', '.join(out)}"
        visitor.picture(RESULTS / "pages" / f"{name}-{look}.png")
    yield from visitor.troubles
    visitor.page.set_viewport_size(LOOKS[0][1])
    for _ in range(TABS):
        visitor.page.keyboard.press("Tab")
        unseen = visitor.page.evaluate(FOCUS)
        if unseen:
            yield f"focus is not seen on {unseen}"
