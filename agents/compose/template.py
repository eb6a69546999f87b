"""Variables in values: ``$NAME``, ``${NAME}``, ``${NAME:-default}`` and its relatives.

Pure and linear in the length of the text; nesting is bounded. The forms are those of the
Compose specification, chapter "Interpolation".
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from agents.compose.errors import VariableError

Lookup = Callable[[str], str | None]

MAX_DEPTH = 20
# No argument and no variable of a program can be longer: MAX_ARG_STRLEN, execve(2).
MAX_RESULT = 128 * 1024
_NAME = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_OPERATOR = re.compile(r":?[-?+]")
_EXPECTED = "$NAME, ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+value}"


class _Scope(NamedTuple):
    lookup: Lookup
    unset: set[str]
    depth: int

    def deeper(self) -> "_Scope":
        if self.depth >= MAX_DEPTH:
            raise VariableError(f"Variables are nested deeper than {MAX_DEPTH} levels")
        return self._replace(depth=self.depth + 1)

    def plain(self, name: str) -> str:
        value = self.lookup(name)
        if value is None:
            self.unset.add(name)
        return value or ""


def substitute(text: str, lookup: Lookup, unset: set[str] | None = None) -> str:
    """Return ``text`` with its variables replaced; ``lookup`` answers None for an unset one.

    ``$$`` becomes ``$``; a ``$`` before anything that cannot begin a name stays as it is.
    The names that became "" because they are not set are added to ``unset``.
    Raises VariableError for a malformed ``${`` and for a required variable without a value.
    """
    if "$" not in text:
        return text
    return _expand(text, _Scope(lookup, set() if unset is None else unset, 0))


def _expand(text: str, scope: _Scope) -> str:
    parts: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0:
        parts.append(text[position:dollar])
        value, position = _expand_one(text, dollar, scope)
        parts.append(value)
    parts.append(text[position:])
    if sum(map(len, parts)) > MAX_RESULT:
        raise VariableError(f"With its variables the value is over {MAX_RESULT // 1024} KiB long")
    return "".join(parts)


def _expand_one(text: str, dollar: int, scope: _Scope) -> tuple[str, int]:
    following = text[dollar + 1 : dollar + 2]
    if following == "$":
        return "$", dollar + 2
    if following == "{":
        end = _closing_brace(text, dollar + 2)
        return _expand_braced(text[dollar + 2 : end], scope), end + 1
    name = _NAME.match(text, dollar + 1)
    if name is None:
        return "$", dollar + 1
    return scope.plain(name.group()), name.end()


def _closing_brace(text: str, start: int) -> int:
    open_braces = 1
    for position in range(start, len(text)):
        if text[position] == "{":
            open_braces += 1
        elif text[position] == "}":
            open_braces -= 1
        if not open_braces:
            return position
    raise VariableError('"${" has no closing "}"', expected=_EXPECTED, hint='Write "$$" for a "$".')


def _expand_braced(body: str, scope: _Scope) -> str:
    name = _NAME.match(body)
    if name is None:
        raise _malformed(body)
    if name.end() == len(body):
        return scope.plain(name.group())
    operator = _OPERATOR.match(body, name.end())
    if operator is None:
        raise _malformed(body)
    return _apply(name.group(), operator.group(), body[operator.end() :], scope.deeper())


def _apply(name: str, operator: str, argument: str, scope: _Scope) -> str:
    value = scope.lookup(name)
    present = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return _expand(argument, scope) if present else ""
    if present:
        return value or ""
    if operator.endswith("-"):
        return _expand(argument, scope)
    reason = _expand(argument, scope)
    raise VariableError(
        f"The variable {name} must be set" + (f": {reason}" if reason else ""),
        hint=f"Set {name} in the project's variables or in its .env file.",
        code="missing_variable",
    )


def _malformed(body: str) -> VariableError:
    shown = body if len(body) <= 40 else body[:40] + "…"
    return VariableError(f'"${{{shown}}}" is not a variable', expected=_EXPECTED)
