"""The documents can be found from the README, and lead nowhere in vain."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#\s]+)")


def links(page: Path) -> set[Path]:
    found = (link for link in LINK.findall(page.read_text()) if "://" not in link)
    return {(page.parent / link).resolve() for link in found}


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_every_link_leads_somewhere() -> None:
    missing = {str(to) for page in pages() for to in links(page) if not to.exists()}
    assert missing == set()


def test_every_page_is_found_from_the_readme() -> None:
    left, found = [ROOT / "README.md"], set[Path]()
    while left:
        page = left.pop()
        if page in found or page.suffix != ".md" or not page.is_file():
            continue
        found.add(page)
        left.extend(links(page))
    # Decisions are listed by their folder, which the README's link shows.
    of_docs = {page for page in pages() if page.is_relative_to(ROOT / "docs")}
    lost = {str(page) for page in of_docs - found if page.parent.name != "decisions"}
    assert lost == set()
