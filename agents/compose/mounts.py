"""The short form of a mount: ``[source:]target[:options]``."""

import re
from typing import get_args

from agents.compose.errors import InvalidValueError
from agents.compose.model import Mount, Propagation

_EXPECTED = '"./data:/data", "name:/data:ro" or "/data"'
_PROPAGATION: tuple[Propagation, ...] = tuple(one for one in get_args(Propagation) if one)
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_KNOWN_OPTIONS = frozenset({"ro", "rw", "nocopy", "z", "Z", "cached", "delegated", "consistent"})


def parse_mount(text: str) -> Mount:
    """Return the mount that a short form stands for, its source as it was written.

    A source that begins with ``.``, ``/`` or ``~`` is a path, any other the name of a
    volume. Options that nobody knows are ignored here; see :func:`unknown_options`.
    Raises InvalidValueError.
    """
    if not text:
        raise InvalidValueError("The mount is empty", expected=_EXPECTED)
    fields = _split(text)
    if len(fields) > 3:
        raise InvalidValueError(f'"{text}" has too many colons', expected=_EXPECTED)
    if len(fields) == 1:
        return Mount(type="volume", target=fields[0])
    if not all(fields[:2]):
        raise InvalidValueError(f'"{text}" has nothing between two colons', expected=_EXPECTED)
    options = frozenset(fields[2].split(",")) if len(fields) == 3 else frozenset()
    return _with_options(fields[0], fields[1], options)


def unknown_options(text: str) -> tuple[str, ...]:
    """Return the options of a short form that have no effect."""
    fields = _split(text)
    if len(fields) != 3:
        return ()
    known = _KNOWN_OPTIONS | set(_PROPAGATION)
    return tuple(sorted(frozenset(fields[2].split(",")) - known))


def is_path(source: str) -> bool:
    """Tell a path on the host from the name of a volume."""
    return source.startswith((".", "/", "~")) or bool(_WINDOWS_PATH.match(source))


def _with_options(source: str, target: str, options: frozenset[str]) -> Mount:
    bind = is_path(source)
    propagation: Propagation = next((one for one in _PROPAGATION if one in options), "")
    return Mount(
        type="bind" if bind else "volume",
        source=source,
        target=target,
        read_only="ro" in options,
        nocopy=not bind and "nocopy" in options,
        propagation=propagation if bind else "",
        selinux="Z" if "Z" in options else "z" if "z" in options else "",
    )


def _split(text: str) -> list[str]:
    """Split at colons, but for those of a drive letter and those inside ``${…}``."""
    fields: list[str] = []
    start, braces = 0, 0
    for position, character in enumerate(text):
        braces += (text[position - 1 : position + 1] == "${") or (character == "{" and braces > 0)
        braces -= character == "}" and braces > 0
        if character == ":" and not braces and not _is_drive(text, start, position):
            fields.append(text[start:position])
            start = position + 1
    fields.append(text[start:])
    return fields


def _is_drive(text: str, start: int, position: int) -> bool:
    following = text[position + 1 : position + 2]
    return (
        position == start + 1
        and text[start].isalpha()
        and text[start].isascii()
        and following in ("\\", "/", ":", "")
    )
