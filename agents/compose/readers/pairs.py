"""Mappings that may also be lists of ``name=value``: environment, labels, args and others."""

from agents.compose.cursor import Cursor
from agents.compose.errors import InvalidValueError


def read_list(cursor: Cursor) -> tuple[str, ...]:
    """Read a list of strings."""
    return cursor.each(Cursor.word)


def read_pairs(cursor: Cursor) -> dict[str, str | None]:
    """Read a mapping, or a list of ``name=value``; a name alone has the value None."""
    if cursor.is_list:
        return dict(cursor.each(_read_pair))
    if cursor.is_mapping:
        return {
            key: value.guard(_read_value, None) for key, value in cursor.entries().items() if key
        }
    raise cursor.unexpected('a mapping, or a list of "NAME=value"')


def read_labels(cursor: Cursor) -> dict[str, str]:
    """Read labels; one without a value has the value ""."""
    return {key: value or "" for key, value in read_pairs(cursor).items()}


def read_variables(cursor: Cursor) -> dict[str, str]:
    """Read an environment or build arguments; a name alone takes the variable's own value.

    One whose variable is not set is left out, as Compose does.
    """
    pairs = read_pairs(cursor)
    for name in pairs:
        if name != name.strip() or not name or "=" in name:
            message = f'"{name}" is not a name of a variable'
            cursor.error(message, expected="a name without blanks at its ends and without =")
    known = cursor.scope.variables
    given = {name: known.get(name) if value is None else value for name, value in pairs.items()}
    return {name: value for name, value in given.items() if value is not None}


def _read_pair(cursor: Cursor) -> tuple[str, str | None]:
    text = cursor.text()
    name, equals, value = text.partition("=")
    if not name:
        raise InvalidValueError(f'"{text}" has no name', expected="NAME=value")
    return name, value if equals else None


def _read_value(cursor: Cursor) -> str | None:
    if cursor.is_null:
        return None
    return cursor.text()
