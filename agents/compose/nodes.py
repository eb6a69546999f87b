"""A YAML document as a tree in which every node knows its place."""

from dataclasses import dataclass
from typing import NamedTuple

_TYPE_NAMES = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}


class Place(NamedTuple):
    """Where something stands in a file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value; ``text`` is how it was written, without quotes."""

    place: Place
    value: str | int | float | bool | None
    text: str

    def describe(self) -> str:
        """Say what kind of value this is."""
        return "nothing" if self.value is None else _TYPE_NAMES[type(self.value)]


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list of values."""

    place: Place
    items: "tuple[Node, ...]"

    def describe(self) -> str:
        """Say what kind of value this is."""
        return "a list"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's place and its value."""

    place: Place
    node: "Node"


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; every key is a string."""

    place: Place
    entries: dict[str, Entry]

    def describe(self) -> str:
        """Say what kind of value this is."""
        return "a mapping"


Node = ScalarNode | ListNode | MapNode
