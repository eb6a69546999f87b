"""Expands words as Dockerfiles do: quotes, escapes and ``${NAME:-default}``.

See the Dockerfile reference, "Environment replacement". Nothing is ever run.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agents.errors import InvalidInputError

_SPECIAL = "@*#?-$!"


@dataclass(frozen=True, kw_only=True)
class Expanded:
    """A word with its variables replaced, and the words that it falls into at its spaces."""

    word: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Expander:
    """How to expand. ``keep_unset`` leaves variables that are not set as they are written;
    ``raw_quotes`` and ``raw_escapes`` leave quotes and escapes in; ``ignore_quotes`` takes
    quotes for plain characters.
    """

    escape: str = "\\"
    keep_unset: bool = False
    raw_quotes: bool = False
    raw_escapes: bool = False
    ignore_quotes: bool = False

    def expand(self, text: str, variables: Mapping[str, str]) -> Expanded:
        """Expand a word. Raises ``InvalidInputError``."""
        scanner = _Scanner(text=text, rules=self, variables=variables, raw=self.raw_escapes)
        word, words = scanner.read_until("")
        return Expanded(word=word, words=words)


@dataclass
class _Words:
    """Collects words; quoted and escaped characters never end one."""

    done: list[str] = field(default_factory=list)
    current: str = ""
    inside: bool = False

    def add(self, text: str) -> None:
        for char in text:
            if not char.isspace():
                self.add_raw(char)
            elif self.inside:
                self.finish()

    def add_raw(self, text: str) -> None:
        self.current += text
        self.inside = True

    def finish(self) -> tuple[str, ...]:
        if self.current:
            self.done.append(self.current)
        self.current, self.inside = "", False
        return tuple(self.done)


@dataclass
class _Scanner:
    text: str
    rules: Expander
    variables: Mapping[str, str]
    raw: bool
    at: int = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def fail(self, why: str) -> InvalidInputError:
        return InvalidInputError(f"{self.text!r} cannot be expanded: {why}.")

    def read_until(self, stop: str, *, raw: bool | None = None) -> tuple[str, tuple[str, ...]]:
        """Expand up to the character ``stop``, or to the end if it is empty."""
        before, self.raw = self.raw, self.raw if raw is None else raw
        try:
            return self._read_until(stop)
        finally:
            self.raw = before

    def _read_until(self, stop: str) -> tuple[str, tuple[str, ...]]:
        result, words = "", _Words()
        while char := self.peek():
            if char == stop:
                self.next()
                return result, words.finish()
            if char == "$":
                piece = self.read_dollar()
                words.add(piece)
            elif char in "'\"" and not self.rules.ignore_quotes:
                piece = self.read_quoted()
                words.add_raw(piece)
            elif char == self.rules.escape:
                piece = self.read_escaped()
                words.add_raw(piece)
            elif self.text.startswith("<<", self.at):
                piece = self.read_heredoc_mark()
                words.add_raw(piece)
            else:
                piece = self.next()
                words.add(piece)
            result += piece
        if stop:
            raise self.fail(f"unexpected end while looking for {stop!r}")
        return result, words.finish()

    def read_escaped(self) -> str:
        escape = self.next() if self.raw else self.next()[:0]
        return escape + self.next()

    def read_heredoc_mark(self) -> str:
        """Read ``<<`` with the spaces behind it, which do not end its word."""
        start = self.at
        self.at += 2
        while self.peek().isspace():
            self.at += 1
        return self.text[start : self.at]

    def read_quoted(self) -> str:
        return self._read_single() if self.peek() == "'" else self._read_double()

    def _read_single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self.fail("a single quote is not closed")
        inner = self.text[self.at + 1 : end]
        self.at = end + 1
        return f"'{inner}'" if self.rules.raw_quotes else inner

    def _read_double(self) -> str:
        quote = self.next() if self.rules.raw_quotes else self.next()[:0]
        result = quote
        while char := self.peek():
            if char == '"':
                self.next()
                return result + quote
            if char == "$":
                result += self.read_dollar()
            elif char == self.rules.escape:
                result += self._read_escape_in_double()
            else:
                result += self.next()
        raise self.fail("a double quote is not closed")

    def _read_escape_in_double(self) -> str:
        escape = self.next()
        if self.peek() not in ("", '"', "$", self.rules.escape):
            return escape * 2 if self.raw else escape
        return (escape if self.raw else "") + self.next()

    def read_dollar(self) -> str:
        self.next()
        if self.peek() == "{":
            self.next()
            return self._read_braces()
        name = self.read_name()
        if not name:
            return "$"
        return self._value(name, f"${name}")

    def read_name(self) -> str:
        if self.peek() and self.peek() in _SPECIAL:
            return self.next()
        pattern = r"[0-9]+" if self.peek().isdigit() else r"\w*"
        found = re.compile(pattern).match(self.text, self.at)
        name = found.group() if found else ""
        self.at += len(name)
        return name

    def _value(self, name: str, written: str) -> str:
        if name in self.variables:
            return self.variables[name]
        return written if self.rules.keep_unset else ""

    def _read_braces(self) -> str:
        if not self.peek():
            raise self.fail("'}' is missing")
        if self.peek() in "{}:":
            raise self.fail("bad substitution")
        name = self.read_name()
        operator = self.next()
        if operator == "}":
            return self._value(name, f"${{{name}}}")
        if operator == "/":
            return self._replace(name)
        if operator == ":":
            operator += self.next()
        return self._substitute(name, operator)

    def _substitute(self, name: str, operator: str) -> str:
        act = _OPERATORS.get(operator[-1:])
        if act is None or operator in (":#", ":%"):
            raise self.fail(f"unsupported modifier {operator!r}")
        word = self._word("}", raw=operator in ("#", "%"))
        value = self.variables.get(name)
        if value is None and self.rules.keep_unset:
            return f"${{{name}{operator}{word}}}"
        given = None if operator.startswith(":") and not value else value
        try:
            return act(given, word)
        except ValueError as exc:
            raise self.fail(f"{name}: {exc}") from exc

    def _replace(self, name: str) -> str:
        every = self.peek() == "/"
        if every:
            self.next()
        pattern = self._word("/", raw=True)
        replacement = self._word("}", raw=True)
        if name not in self.variables and self.rules.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        value = self.variables.get(name, "")
        expression = re.compile(self._glob(pattern, greedy=True), re.DOTALL)
        return expression.sub(lambda _: replacement, value, count=0 if every else 1)

    def _word(self, stop: str, *, raw: bool) -> str:
        try:
            return self.read_until(stop, raw=raw or None)[0]
        except InvalidInputError as exc:
            if self.peek():
                raise
            raise self.fail(f"{stop!r} is missing") from exc

    def _glob(self, pattern: str, *, greedy: bool) -> str:
        try:
            return to_expression(pattern, greedy=greedy)
        except ValueError as exc:
            raise self.fail(str(exc)) from exc


def to_expression(pattern: str, *, greedy: bool) -> str:
    """Return the regular expression for a shell pattern of ``*``, ``?`` and ``\\``.

    Raises ``ValueError`` if it ends with a lone backslash.
    """
    result, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
            if at == len(pattern):
                raise ValueError("the pattern ends with a backslash")
            result += re.escape(pattern[at])
        else:
            result += {"*": ".*" if greedy else ".*?", "?": "."}.get(char, re.escape(char))
        at += 1
    return result


def _or_default(value: str | None, word: str) -> str:
    return word if value is None else value


def _alternative(value: str | None, word: str) -> str:
    return "" if value is None else word


def _required(value: str | None, word: str) -> str:
    if value is None:
        raise ValueError(word or "is not allowed to be unset or empty")
    return value


def _without_prefix(value: str | None, word: str) -> str:
    greedy = word.startswith("#")
    expression = to_expression(word.removeprefix("#"), greedy=greedy)
    found = re.match(expression, value or "", re.DOTALL)
    return (value or "")[found.end() :] if found else value or ""


def _without_suffix(value: str | None, word: str) -> str:
    text, greedy = value or "", word.startswith("%")
    expression = re.compile(to_expression(word.removeprefix("%"), greedy=True), re.DOTALL)
    starts = range(len(text) + 1) if greedy else range(len(text), -1, -1)
    for start in starts:
        if expression.fullmatch(text, start):
            return text[:start]
    return text


_OPERATORS: Mapping[str, Callable[[str | None, str], str]] = {
    "-": _or_default,
    "+": _alternative,
    "?": _required,
    "#": _without_prefix,
    "%": _without_suffix,
}
