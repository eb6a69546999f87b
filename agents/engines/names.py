"""What names containers may have, the same for every engine."""

import re

from agents.errors import InvalidInputError

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def check_container_name(name: str) -> None:
    """Raise ``InvalidInputError`` for what cannot be the name of a container."""
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} cannot be the name of a container",
            hint="Use letters, digits, '_', '.' and '-', at least two.",
            field="container_name",
        )
