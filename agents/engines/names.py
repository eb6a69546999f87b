"""What names things may have, the same for every engine."""

import re
from collections.abc import Mapping

from agents.errors import InvalidInputError

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
# As long as a name of a host may be (RFC 1035), which each of them is.
_LONGEST = 253


def check_container_name(name: str) -> None:
    """Raise ``InvalidInputError`` for what cannot be the name of a container."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name[:300]!r} cannot be the name of a container",
            hint="Use letters, digits, '_', '.' and '-', at least two and at most 253.",
            field="container_name",
        )


def check_network_name(name: str) -> None:
    """Raise ``InvalidInputError`` for what cannot be the name of a network."""
    if not name.strip() or len(name) > _LONGEST or "/" in name or not name.isprintable():
        raise InvalidInputError(
            f"{name[:300]!r} cannot be the name of a network",
            hint="Use letters, digits, '_', '.' and '-', at most 253.",
            field="networks",
        )


def check_labels(labels: Mapping[str, str]) -> None:
    """Raise ``InvalidInputError`` for labels that cannot be written."""
    for text in (*labels, *labels.values()):
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise InvalidInputError(
                f"the label {text[:200]!r} is not valid Unicode", field="labels"
            ) from exc
