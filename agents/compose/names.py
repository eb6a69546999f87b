"""Names: which are allowed, and the ones that Compose gives to things on the host."""

import re

from agents.compose.cursor import Cursor
from agents.compose.errors import InvalidValueError

_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SERVICE = re.compile(r"[a-zA-Z0-9._-]+")
_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_LONGEST_PROJECT = 63


def check_project_name(name: str) -> str:
    """Return the name of a project if it can be one; raises InvalidValueError."""
    if not _PROJECT.fullmatch(name) or len(name) > _LONGEST_PROJECT:
        raise InvalidValueError(
            f'"{name}" cannot be the name of a project',
            expected="lower-case letters, digits, - and _, beginning with a letter or digit",
            hint=f'Try "{suggest}".' if (suggest := normalize_project_name(name)) else "",
            code="project_name",
        )
    return name


def normalize_project_name(name: str) -> str:
    """Return the project name that Compose makes of a folder's name; "" if nothing is left."""
    kept = "".join(re.findall(r"[a-z0-9_-]", name.lower()))
    return kept.lstrip("_-")[:_LONGEST_PROJECT]


def check_service_name(name: str) -> str:
    """Return the name of a service if it can be one; raises InvalidValueError."""
    if not _SERVICE.fullmatch(name):
        raise InvalidValueError(
            f'"{name}" cannot be the name of a service', expected="letters, digits, ., _ and -"
        )
    return name


def check_container_name(cursor: Cursor) -> str:
    """Read a name for a container."""
    name = cursor.word()
    if not _CONTAINER.fullmatch(name):
        raise InvalidValueError(
            f'"{name}" cannot be the name of a container',
            expected="two or more letters, digits, _, . and -, beginning with a letter or digit",
        )
    return name


def container_name(project: str, service: str, number: int, own_name: str = "") -> str:
    """Return a container's name: its own, or ``<project>-<service>-<number>``."""
    return own_name or f"{project}-{service}-{number}"


def resource_name(project: str, key: str) -> str:
    """Return the real name of a network or a volume that has no name of its own."""
    return f"{project}_{key}"


def image_name(project: str, service: str) -> str:
    """Return the name of the image built for a service that names none."""
    return f"{project}-{service}"
