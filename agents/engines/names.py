"""What names things may have, the same for every engine."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from agents.errors import InvalidInputError

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
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


def check_texts(asked: object) -> None:
    """Raise ``InvalidInputError`` if a spec has a text that neither kernel nor disk can take."""
    for field, value in msgspec.to_builtins(asked, enc_hook=str).items():
        for text in _texts(value):
            if "\0" in text or _SURROGATE.search(text):
                raise InvalidInputError(
                    f"the text {text[:200]!r} has a NUL or is not valid Unicode",
                    hint="Correct or leave out what holds it.",
                    field=field,
                )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
