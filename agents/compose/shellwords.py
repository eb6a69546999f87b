"""A command in one string, split into words as a POSIX shell would."""

from agents.compose.errors import InvalidValueError

_BLANK = " \t\r\n"
_SPECIAL_IN_DOUBLE_QUOTES = '"\\$`'


def split_words(text: str) -> tuple[str, ...]:
    """Return the words of ``text``; quotes group, a backslash escapes, nothing expands.

    Raises InvalidValueError for a quote that is never closed.
    """
    words: list[str] = []
    position = _skip_blank(text, 0)
    while position < len(text):
        word, position = _read_word(text, position)
        words.append(word)
        position = _skip_blank(text, position)
    return tuple(words)


def join_words(words: tuple[str, ...]) -> str:
    """Return words as one line that :func:`split_words` splits back into the same words."""
    return " ".join(_quote(word) for word in words)


def _quote(word: str) -> str:
    if word and not any(character in _BLANK or character in "'\"\\" for character in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def _skip_blank(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANK:
        position += 1
    return position


def _read_word(text: str, position: int) -> tuple[str, int]:
    parts: list[str] = []
    while position < len(text) and text[position] not in _BLANK:
        part, position = _read_part(text, position)
        parts.append(part)
    return "".join(parts), position


def _read_part(text: str, position: int) -> tuple[str, int]:
    character = text[position]
    if character == "'":
        end = text.find("'", position + 1)
        if end < 0:
            raise _unclosed("'")
        return text[position + 1 : end], end + 1
    if character == '"':
        return _read_double_quoted(text, position + 1)
    if character == "\\":
        escaped = text[position + 1 : position + 2]
        return ("" if escaped == "\n" else escaped), position + 2
    return character, position + 1


def _read_double_quoted(text: str, position: int) -> tuple[str, int]:
    parts: list[str] = []
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and text[position + 1 : position + 2]:
            parts.append(_unescape_double_quoted(text[position + 1]))
            position += 2
        else:
            parts.append(text[position])
            position += 1
    if position >= len(text):
        raise _unclosed('"')
    return "".join(parts), position + 1


def _unescape_double_quoted(character: str) -> str:
    if character == "\n":
        return ""
    return character if character in _SPECIAL_IN_DOUBLE_QUOTES else "\\" + character


def _unclosed(quote: str) -> InvalidValueError:
    return InvalidValueError(
        f"The quote {quote} is never closed", hint="Close it, or write the words as a list."
    )
