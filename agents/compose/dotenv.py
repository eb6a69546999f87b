"""``.env`` files and ``env_file``: names and values, one to a line, with shell-like quotes.

Values in double quotes know escapes and variables and may span lines; single quotes take
everything as it is; bare values end at ``#`` after a blank.
"""

import re

from agents.compose.errors import InvalidValueError
from agents.compose.template import Lookup, substitute

_KEY = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<key>[^\n=:]*)(?P<mark>[=:]?)")
_NAME_CHARACTER = re.compile(r"[\w.\-\[\]]")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ESCAPE = re.compile(r"\\(0[0-7]{1,3}|.)", re.S)
_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"',
}  # fmt: skip


class DotenvError(InvalidValueError):
    """A line of the file is wrong; ``line`` counts from 1."""

    def __init__(self, message: str, *, line: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


def parse_dotenv(text: str, lookup: Lookup) -> dict[str, str]:
    """Return the names and values of a file, in its order.

    A variable in a value is taken from ``lookup`` first and from the lines above it next.
    A name without ``=`` takes its value from ``lookup``, and is left out when it has none.
    Raises DotenvError.
    """
    return _Reader(text.replace("\r\n", "\n"), lookup).read()


def parse_raw_dotenv(text: str) -> dict[str, str]:
    """Return ``NAME=value`` lines with the values taken as they are (``format: raw``)."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise DotenvError(f'"{name}" has no "="', line=number)
        values[name.strip()] = value
    return values


class _Reader:
    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text = text
        self._lookup = lookup
        self._position = 0
        self._values: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        while self._skip_to_entry():
            self._read_entry()
        return self._values

    def _skip_to_entry(self) -> bool:
        """Go past blank lines and comments; False at the end."""
        while self._position < len(self._text):
            end = self._end_of_line()
            line = self._text[self._position : end].strip()
            if line and not line.startswith("#"):
                return True
            self._position = end + 1
        return False

    def _end_of_line(self) -> int:
        end = self._text.find("\n", self._position)
        return len(self._text) if end < 0 else end

    def _line(self, position: int = -1) -> int:
        end = self._position if position < 0 else position
        return self._text.count("\n", 0, end) + 1

    def _read_entry(self) -> None:
        found = _KEY.match(self._text, self._position)
        assert found is not None  # every part of the pattern may be empty
        key = found.group("key").strip()
        self._check_key(key)
        if not found.group("mark"):
            self._inherit(key)
            return
        self._position = found.end()
        self._values[key] = self._read_value()

    def _check_key(self, key: str) -> None:
        for character in key:
            if character.isspace():
                hint = (
                    "Each line is NAME=value; a value with spaces needs no quotes, a name has none."
                )
                raise DotenvError(f'The name "{key}" has a space', line=self._line(), hint=hint)
            if not _NAME_CHARACTER.match(character):
                raise DotenvError(f'The name "{key}" has a "{character}"', line=self._line())

    def _inherit(self, key: str) -> None:
        value = self._lookup(key)
        if value is not None:
            self._values[key] = value
        self._position = self._end_of_line() + 1

    def _read_value(self) -> str:
        while self._text[self._position : self._position + 1] in (" ", "\t"):
            self._position += 1
        quote = self._text[self._position : self._position + 1]
        if quote in ("'", '"') and quote:
            return self._read_quoted(quote)
        end = self._end_of_line()
        value = _COMMENT.sub("", self._text[self._position : end], count=1).strip()
        start, self._position = self._position, end + 1
        return self._substitute(value, start)

    def _read_quoted(self, quote: str) -> str:
        end = self._closing_quote(quote)
        value = self._text[self._position + 1 : end]
        start, self._position = self._position, end + 1
        self._check_tail()
        if quote == "'":
            return value.replace("\\'", "'")
        # A backslash before "$" keeps it: "$$" is how the template says so.
        value = _ESCAPE.sub(_unescape, value)
        return self._substitute(value, start)

    def _closing_quote(self, quote: str) -> int:
        position = self._position + 1
        while (position := self._text.find(quote, position)) >= 0:
            if not _is_escaped(self._text, position, quote):
                return position
            position += 1
        raise DotenvError(f"The quote {quote} is never closed", line=self._line())

    def _check_tail(self) -> None:
        end = self._end_of_line()
        tail = self._text[self._position : end].strip()
        if tail and not tail.startswith("#"):
            raise DotenvError("There is text after the closing quote", line=self._line())
        self._position = end + 1

    def _substitute(self, value: str, start: int) -> str:
        try:
            return substitute(value, self._find)
        except InvalidValueError as exc:
            raise DotenvError(exc.message, line=self._line(start), hint=exc.hint) from exc

    def _find(self, name: str) -> str | None:
        value = self._lookup(name)
        return self._values.get(name) if value is None else value


def _is_escaped(text: str, position: int, quote: str) -> bool:
    slashes = 0
    while text[position - slashes - 1] == "\\":
        slashes += 1
    # Between single quotes only \' is an escape, so a lone \ before the last quote counts too.
    return slashes % 2 == 1 if quote == '"' else slashes > 0


def _unescape(found: re.Match[str]) -> str:
    escape = found.group(1)
    if escape == "$":
        return "$$"
    if escape[0] == "0" and len(escape) > 1:
        return chr(int(escape, 8))
    return _ESCAPES.get(escape, found.group())
