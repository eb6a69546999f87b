"""Where the thing lies that an operation was done to; apps register their kinds::

@target_link("project")
def project_link(uid: str) -> str: ...
"""

from collections.abc import Callable

from django.urls import reverse

Link = Callable[[str], str]
_links: dict[str, Link] = {}


def target_link(kind: str) -> Callable[[Link], Link]:
    """Register the decorated function as the one that knows the page of such a thing."""

    def register(link: Link) -> Link:
        _links[kind] = link
        return link

    return register


def link_to(kind: str, uid: str) -> str:
    """Return the path of the thing's page, or "" if it has none."""
    link = _links.get(kind)
    return link(uid) if link and uid else ""


@target_link("host")
def host_link(uid: str) -> str:
    """Return the path of a host's page."""
    return reverse("hosts:detail", args=[uid])
