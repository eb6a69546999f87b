"""Command lines: a list of words, one string, or nothing."""

from agents.compose.cursor import Cursor
from agents.compose.shellwords import split_words


def read_command(cursor: Cursor) -> tuple[str, ...]:
    """Read a list of words as it is, or a string split as a shell would."""
    if cursor.is_list:
        return cursor.each(Cursor.text)
    if not cursor.is_string:
        raise cursor.unexpected("a string or a list")
    return split_words(cursor.text())
