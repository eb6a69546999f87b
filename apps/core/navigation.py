"""What the sidebar offers: one entry for each list page."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """A link of the sidebar; ``current`` is "page" on its own page, "true" below it, else ""."""

    label: str
    href: str
    icon: str
    current: str = ""


_ITEMS = (
    ("Dashboard", "/", "dashboard"),
    ("Projects", "/projects/", "projects"),
    ("Hosts", "/hosts/", "host"),
    ("Operations", "/operations/", "operations"),
    ("Team", "/team/", "team"),
    ("Audit", "/audit/", "audit"),
)


def _current(href: str, path: str) -> str:
    if path == href:
        return "page"
    return "true" if href != "/" and path.startswith(href) else ""


def items_for(path: str) -> list[NavItem]:
    """The entries, with the one that ``path`` belongs to marked."""
    return [
        NavItem(label=label, href=href, icon=icon, current=_current(href, path))
        for label, href, icon in _ITEMS
    ]
