"""Patterns of ``.dockerignore`` files and of the sources of COPY."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agents.errors import InvalidInputError

WILDCARDS = frozenset("*?[\\")


@dataclass(kw_only=True)
class Pattern:
    """One line of a ``.dockerignore``; ``is_exception`` if it began with ``!``."""

    text: str
    is_exception: bool

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Return what matches the paths meant, and all below. Raises ``InvalidInputError``."""
        try:
            return re.compile(f"(?:{_compile(self.text)})(?:/.*)?", re.DOTALL)
        except re.error as exc:
            raise _malformed(self.text) from exc


class Matcher:
    """Tells which paths the lines of a ``.dockerignore`` exclude. The last match decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Raises ``InvalidInputError`` for a malformed pattern."""
        self.patterns = tuple(_read(line.strip()) for line in lines if line.strip())
        self._closed: dict[str, bool] = {"": False}

    @property
    def has_exceptions(self) -> bool:
        """Return whether any line begins with ``!``."""
        return any(one.is_exception for one in self.patterns)

    def excludes(self, path: str) -> bool:
        """Return whether a relative path, or a folder that holds it, is excluded."""
        excluded = False
        for pattern in self.patterns:
            if pattern.is_exception == excluded and pattern.expression.fullmatch(path):
                excluded = not pattern.is_exception
        return excluded

    def hides(self, path: str) -> bool:
        """Return whether a relative path is excluded, and so is all that may be in it.

        As Docker does, an excluded folder is only looked into if an exception names it.
        """
        return self._is_closed(path.rpartition("/")[0]) or self.excludes(path)

    def _is_closed(self, folder: str) -> bool:
        closed = self._closed.get(folder)
        if closed is None:
            closed = self._is_closed(folder.rpartition("/")[0]) or (
                self.excludes(folder) and not self.may_enter(folder)
            )
            self._closed[folder] = closed
        return closed

    def may_enter(self, folder: str) -> bool:
        """Return whether an exception begins with the name of this folder."""
        return any(
            one.is_exception and f"{one.text}/".startswith(f"{folder}/") for one in self.patterns
        )


def read_ignore_file(path: Path) -> Matcher:
    """Read a ``.dockerignore``; one that is not there excludes nothing."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        text = ""
    return Matcher(clean_lines(text))


def clean_lines(text: str) -> list[str]:
    """Return the patterns of a ``.dockerignore`` file, normalised."""
    lines = (line.strip() for line in text.splitlines() if not line.startswith("#"))
    return [_clean_line(line) for line in lines if line]


def _clean_line(line: str) -> str:
    mark = "!" if line.startswith("!") else ""
    rest = line.removeprefix("!").strip() if mark else line
    if not rest:
        return mark
    clean = posixpath.normpath(rest)
    if len(clean) > 1:
        clean = clean.lstrip("/") or "/"
    return mark + clean


def _read(line: str) -> Pattern:
    clean = posixpath.normpath(line)
    mark = clean.startswith("!")
    text = clean[1:] if mark else clean
    if mark and not text:
        raise InvalidInputError("A '!' alone is no pattern.")
    check_glob(text)
    return Pattern(text=text, is_exception=mark)


def _compile(text: str) -> str:
    if text.startswith("**") and not set(text[2:]) & set("*?[]\\"):
        # "**name" also matches the end of a name, "**/name" the name in any folder.
        rest = re.escape(text[2:])
        return f"(?:.*{rest}|{re.escape(text[2:].lstrip('/'))})"
    result, at = "", 0
    while at < len(text):
        piece, at = _translate(text, at)
        result += piece
    return result


def _translate(text: str, at: int) -> tuple[str, int]:
    char = text[at]
    if text.startswith("**", at):
        at += 2
        if text.startswith("/", at):
            at += 1
        return (".*" if at == len(text) else "(?:.*/)?"), at
    if char == "\\" and at + 1 < len(text):
        return re.escape(text[at + 1]), at + 2
    simple = {"*": "[^/]*", "?": "[^/]", "[": "[", "]": "]", "^": "^", "-": "-"}
    return simple.get(char, re.escape(char)), at + 1


def has_wildcards(text: str) -> bool:
    """Return whether a source of COPY is a pattern."""
    return bool(WILDCARDS & set(text))


def match_glob(pattern: str) -> re.Pattern[str]:
    """Return the expression for a glob of ``*``, ``?``, ``[a-z]`` and ``\\`` on whole paths.

    Raises ``InvalidInputError`` if it is malformed.
    """
    result, at = "", 0
    while at < len(pattern):
        piece, at = _translate_glob(pattern, at)
        result += piece
    return re.compile(result, re.DOTALL)


def check_glob(pattern: str) -> None:
    """Raise ``InvalidInputError`` if a glob is malformed."""
    match_glob(pattern)


def _translate_glob(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if char == "*":
        return "[^/]*", at + 1
    if char == "?":
        return "[^/]", at + 1
    if char == "\\":
        if at + 1 == len(pattern):
            raise _malformed(pattern)
        return re.escape(pattern[at + 1]), at + 2
    if char == "[":
        return _translate_class(pattern, at + 1)
    return re.escape(char), at + 1


def _translate_class(pattern: str, at: int) -> tuple[str, int]:
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _class_char(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _class_char(pattern, at + 1)
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    body = "".join(ranges)
    if not body:
        return ("." if negated else "(?!)"), at + 1
    return f"[{'^' if negated else ''}{body}]", at + 1


def _class_char(pattern: str, at: int) -> tuple[str, int]:
    if at >= len(pattern) or pattern[at] in "-]":
        raise _malformed(pattern)
    if pattern[at] == "\\":
        at += 1
        if at >= len(pattern):
            raise _malformed(pattern)
    return pattern[at], at + 1


def _malformed(pattern: str) -> InvalidInputError:
    return InvalidInputError(f"The pattern {pattern!r} is malformed.")
