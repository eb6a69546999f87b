"""Splits the rest of an instruction into words, flags, pairs or a JSON list."""

import json
import re
from dataclasses import dataclass

from agents.errors import InvalidInputError


@dataclass
class _Cursor:
    text: str
    escape: str
    at: int = 0

    def next(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        return char

    @property
    def at_end(self) -> bool:
        return self.at >= len(self.text)


def split_words(text: str, escape: str) -> list[str]:
    """Split at spaces outside of quotes; quotes and escapes stay in the words."""
    cursor, words = _Cursor(text, escape), list[str]()
    while not cursor.at_end:
        if cursor.text[cursor.at].isspace():
            cursor.next()
            continue
        word = _read_word(cursor)
        if word:
            words.append(word)
    return words


def _read_word(cursor: _Cursor) -> str:
    word, quote = "", ""
    while not cursor.at_end:
        char = cursor.next()
        if not quote and char.isspace():
            break
        if char == cursor.escape and quote != "'":
            if cursor.at_end:
                break
            word += char
            char = cursor.next()
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        word += char
    return word


def split_flags(text: str, escape: str) -> tuple[tuple[str, ...], str]:
    """Take the leading ``--name=value`` off; their quotes and escapes are resolved."""
    cursor, flags = _Cursor(text, escape), list[str]()
    while not cursor.at_end:
        if cursor.text[cursor.at].isspace():
            cursor.next()
            continue
        if not cursor.text.startswith("--", cursor.at):
            break
        flag = _read_flag(cursor)
        if flag == "--":
            break
        flags.append(flag)
    return tuple(flags), text[cursor.at :].strip()


def _read_flag(cursor: _Cursor) -> str:
    word, quote = "", ""
    while not cursor.at_end:
        char = cursor.next()
        if not quote and char.isspace():
            break
        if char == cursor.escape:
            word += cursor.next()
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            word += char
    return word


def split_pairs(text: str, escape: str, keyword: str) -> tuple[str, ...]:
    """Return name, value and separator of each pair: "=", or "" for the form ``NAME VALUE``.

    Raises ``InvalidInputError``.
    """
    words = split_words(text, escape)
    if not words:
        return ()
    if "=" not in words[0]:
        parts = re.split(r"\s+", text, maxsplit=1)
        if len(parts) < 2:
            raise InvalidInputError(f"{keyword.upper()} must have two arguments.")
        return (parts[0], parts[1], "")
    result: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InvalidInputError(f"{word!r} has no '='; write it as name=value.")
        result += (name, value, equals)
    return tuple(result)


def read_json(text: str) -> tuple[str, ...] | None:
    """Return a JSON list of strings; None if the text is none.

    Raises ``InvalidInputError`` for a list of other things.
    """
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, list) or any(not isinstance(item, str) for item in found):
        raise InvalidInputError("A JSON list here must hold strings only.")
    return tuple(found)
