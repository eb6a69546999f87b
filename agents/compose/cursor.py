"""A place in a document, and how to read a typed value there.

Readers are functions from a Cursor to a value that raise InvalidValueError. They are run by
:meth:`Cursor.guard` and its relatives, which report what is wrong at its place and go on,
so that one reading finds everything that is wrong.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from agents.compose.errors import InvalidValueError
from agents.compose.keys import KeyTable, refuse_unknown
from agents.compose.nodes import Entry, ListNode, MapNode, Node, Place, ScalarNode
from agents.compose.report import Report
from agents.compose.scalars import format_scalar, resolve_plain
from agents.compose.template import substitute

T = TypeVar("T")
Default = TypeVar("Default")
# What the values of one file may come to with all its variables, in characters.
MAX_EXPANDED = 16 * 1024 * 1024
MAX_PORTS = 10_000
MAX_ENV_FILES = 500
_NAMES = re.compile(r"\$\{?([_A-Za-z][_A-Za-z0-9]*)")
Reader = Callable[["Cursor"], T]


class Scope:
    """What the reading of one file shares: where to report, and the variables."""

    def __init__(self, report: Report, variables: Mapping[str, str]) -> None:
        self.report = report
        self.variables = dict(variables)
        self.unset: dict[str, None] = {}
        self._left = {"expanded": MAX_EXPANDED, "ports": MAX_PORTS, "env_file": MAX_ENV_FILES}

    def spend(self, what: str, amount: int) -> None:
        """Count what one project may have so much of; raises InvalidValueError beyond it."""
        self._left[what] -= amount
        if self._left[what] < 0:
            raise InvalidValueError("The project is too big", code="too_big")


class Cursor:
    """A node, the path to it, and the scope it is read in."""

    __slots__ = ("_parent", "_step", "node", "scope")

    def __init__(
        self, node: Node, scope: Scope, parent: "Cursor | None" = None, step: str | int = ""
    ) -> None:
        self.node = node
        self.scope = scope
        self._parent = parent
        self._step = step

    @property
    def path(self) -> str:
        """The place in the document, as ``services.web.ports[0]``; "" at the root."""
        if self._parent is None:
            return ""
        above = self._parent.path
        if isinstance(self._step, int):
            return f"{above}[{self._step}]"
        return f"{above}.{self._step}" if above else self._step

    @property
    def key(self) -> str:
        """The key or the index of this place in what holds it."""
        return str(self._step)

    @property
    def place(self) -> Place:
        """Where the value stands in its file."""
        return self.node.place

    @property
    def is_null(self) -> bool:
        """Whether there is nothing here."""
        return isinstance(self.node, ScalarNode) and self.node.value is None

    @property
    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self.node, ListNode)

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.node, MapNode)

    @property
    def is_string(self) -> bool:
        """Whether this is a single value and a string."""
        return isinstance(self.node, ScalarNode) and isinstance(self.node.value, str)

    # Reporting

    def error(
        self, message: str, *, expected: str = "", hint: str = "", code: str = "invalid"
    ) -> None:
        """Report what is wrong here and go on."""
        wrong = InvalidValueError(message, expected=expected, hint=hint, code=code)
        self.scope.report.at(self.place, self.path, wrong)

    def warn(self, message: str, *, hint: str = "", code: str = "ignored") -> None:
        """Report what will not have the effect it seems to have."""
        wrong = InvalidValueError(message, hint=hint, code=code)
        self.scope.report.at(self.place, self.path, wrong, severity="warning")

    def guard(self, reader: Reader[T], default: Default) -> T | Default:
        """Return what the reader reads here; report what it raises and return ``default``."""
        try:
            return reader(self)
        except InvalidValueError as wrong:
            self.refuse(wrong)
            return default

    def refuse(self, wrong: InvalidValueError) -> None:
        """Report what was raised here, with names instead of the values of variables."""
        if isinstance(self.node, ScalarNode):
            for name in _NAMES.findall(self.node.text):
                value = self.scope.variables.get(name)
                if value:
                    wrong.message = wrong.message.replace(value, f"${{{name}}}")
        self.scope.report.at(self.place, self.path, wrong)

    # Structure

    def items(self) -> "list[Cursor]":
        """Return the items of the list; raises InvalidValueError if it is none."""
        if not isinstance(self.node, ListNode):
            dash = self.is_string and self.text().startswith("-")
            hint = 'Each item begins with "-" and a blank.' if dash else ""
            raise self.unexpected("a list", hint=hint)
        return [Cursor(item, self.scope, self, index) for index, item in enumerate(self.node.items)]

    def entries(self) -> "dict[str, Cursor]":
        """Return the values of the mapping by key; raises InvalidValueError if it is none."""
        if not isinstance(self.node, MapNode):
            raise self.unexpected("a mapping")
        return {key: self._enter(key, entry) for key, entry in self.node.entries.items()}

    def each(self, reader: Reader[T]) -> tuple[T, ...]:
        """Return what the reader reads at each item; the wrong ones are reported, left out."""
        return _read_all(self.items(), reader)

    def each_entry(self, reader: Reader[T], *, expected: str = "a mapping") -> tuple[T, ...]:
        """Return what the reader reads at each value of the mapping, as :meth:`each` does."""
        if not self.is_mapping:
            raise self.unexpected(expected)
        return _read_all(list(self.entries().values()), reader)

    def fields(self, table: KeyTable) -> "Fields":
        """Return the mapping's values to read by name, and report the keys nobody knows."""
        if not isinstance(self.node, MapNode):
            raise self.unexpected("a mapping")
        for key, entry in self.node.entries.items():
            if key not in table.supported and not key.startswith("x-"):
                refuse_unknown(
                    table, key, entry.place, self._enter(key, entry).path, self.scope.report
                )
        return Fields(self)

    def find(self, *steps: str) -> "Cursor":
        """Return the place below that the steps lead to, or the nearest one above it.

        In a list a step finds the item that is this text, begins with it and a colon, or is
        a mapping with it as its ``source``.
        """
        cursor = self
        for step in steps:
            below = cursor._child(step)
            if below is None:
                return cursor
            cursor = below
        return cursor

    def _child(self, step: str) -> "Cursor | None":
        if isinstance(self.node, MapNode):
            entry = self.node.entries.get(step)
            return None if entry is None else self._enter(step, entry)
        if isinstance(self.node, ListNode):
            named = (item for item in self.items() if item._is_called(step))
            return next(named, None)
        return None

    def _is_called(self, step: str) -> bool:
        if isinstance(self.node, MapNode):
            source = self._child("source")
            return source is not None and source._is_called(step)
        text = self.node.text if isinstance(self.node, ScalarNode) else ""
        return text == step or text.startswith((step + ":", step + "="))

    def _enter(self, key: str, entry: Entry) -> "Cursor":
        return Cursor(entry.node, self.scope, self, key)

    # Values

    def text(self) -> str:
        """Return a single value as text with its variables replaced; "" for null."""
        node = self.node
        if not isinstance(node, ScalarNode):
            raise self.unexpected("a single value")
        if isinstance(node.value, str):
            return self._substitute(node.value)
        return "" if node.value is None else format_scalar(node.value)

    def string(self) -> str:
        """Return a string with its variables replaced; a number or nothing is an error."""
        if not self.is_string:
            raise self.unexpected("a string", hint=self._quote_hint())
        return self.text()

    def word(self) -> str:
        """Return a string or a number as text; nothing, "" and booleans are errors."""
        node = self.node
        wrong = not isinstance(node, ScalarNode) or node.value is None
        if wrong or isinstance(getattr(node, "value", None), bool):
            raise self.unexpected("a string")
        text = self.text()
        if not text:
            raise InvalidValueError("The value is empty", expected="a string")
        return text

    def boolean(self) -> bool:
        """Return true or false; the strings people used for it in YAML 1.1 do as well."""
        text = self.text().lower()
        if text in ("true", "yes", "on", "y", "1"):
            return True
        if text in ("false", "no", "off", "n", "0"):
            return False
        raise self.unexpected("true or false")

    def integer(self) -> int:
        """Return a whole number."""
        value = resolve_plain(self.text())
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.unexpected("a whole number")
        return value

    def number(self) -> float:
        """Return a number that is finite."""
        value = resolve_plain(self.text())
        if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
            raise self.unexpected("a number")
        return float(value)

    def unexpected(self, expected: str, *, hint: str = "") -> InvalidValueError:
        """Return the error that something else stands here."""
        node = self.node
        shown = node.describe()
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            shown = f'"{node.text[:60]}"'
        return InvalidValueError(f"{shown} does not fit here", expected=expected, hint=hint)

    def _quote_hint(self) -> str:
        node = self.node
        scalar = isinstance(node, ScalarNode) and node.value is not None
        return (
            f'Write it in quotes: "{node.text}".' if scalar and isinstance(node, ScalarNode) else ""
        )

    def _substitute(self, text: str) -> str:
        if "$" not in text:
            return text
        unset: set[str] = set()
        value = substitute(text, self.scope.variables.get, unset)
        self.scope.spend("expanded", len(value))
        for name in sorted(unset - self.scope.unset.keys()):
            self.scope.unset[name] = None
            self.warn(
                f"The variable {name} is not set and counts as empty",
                hint=f"Set it, or give a default: ${{{name}:-default}}.",
                code="unset_variable",
            )
        return value


class Fields:
    """The values of one mapping, read by name."""

    __slots__ = ("_entries", "cursor")

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self._entries = cursor.entries()

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str) -> Cursor | None:
        """Return the place of a key, None when it is absent or null."""
        cursor = self._entries.get(key)
        return None if cursor is None or cursor.is_null else cursor

    def read(self, key: str, reader: Reader[T], default: Default) -> T | Default:
        """Return what the reader reads at a key; ``default`` when it is absent, null or wrong."""
        cursor = self.get(key)
        return default if cursor is None else cursor.guard(reader, default)


def _read_all(cursors: list[Cursor], reader: Reader[T]) -> tuple[T, ...]:
    values: list[T] = []
    for cursor in cursors:
        try:
            values.append(reader(cursor))
        except InvalidValueError as wrong:
            cursor.refuse(wrong)
    return tuple(values)
