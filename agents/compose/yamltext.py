"""YAML text to a tree of nodes, within bounds.

PyYAML's parser (libyaml's where there is one) gives the events; composing is done here so
that every node keeps its place and nothing grows without bound: size, depth and the number
of nodes after aliases are expanded. No tag ever makes an object.
"""

from collections.abc import Iterator

import yaml

from agents.compose.errors import InvalidValueError, Problem
from agents.compose.nodes import Entry, ListNode, MapNode, Node, Place, ScalarNode
from agents.compose.scalars import resolve_plain, resolve_tagged

MAX_TEXT = 1024 * 1024
MAX_DEPTH = 48
MAX_NODES = 50_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _YamlError(Exception):
    def __init__(self, message: str, place: Place, *, code: str = "yaml", hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(
            message=message,
            file=place.file,
            line=place.line,
            column=place.column,
            code=code,
            hint=hint,
        )


def parse_yaml(text: str, file: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """Return the document's root and what is wrong with it.

    Without a root the text could not be read at all. With one there may still be problems,
    such as keys that are there twice: the first then counts.
    """
    if len(text) > MAX_TEXT:
        too_big = f"The file is larger than {MAX_TEXT // 1024} KiB"
        return None, (Problem(message=too_big, file=file, code="too_big"),)
    composer = _Composer(file, yaml.parse(text, Loader=_Loader))
    try:
        return composer.compose(), tuple(composer.problems)
    except _YamlError as exc:
        return None, (*composer.problems, exc.problem)
    except yaml.YAMLError as exc:
        return None, (*composer.problems, _syntax_problem(exc, text, file))


_HINTS = {
    "expected key": "Check the indentation of this line and of those above.",
    "expected '-' indicator": "A list and a mapping cannot be mixed: check the lines above.",
    "mapping values are not allowed": 'Check the indentation, or quote a value that has ": ".',
    "cannot start any token": "Put the value in quotes.",
}


def _hint(message: str, following: str) -> str:
    if following.startswith("\t"):
        return "YAML is indented with spaces, not with tabs."
    return next((hint for known, hint in _HINTS.items() if known in message), "")


def _syntax_problem(exc: yaml.YAMLError, text: str, file: str) -> Problem:
    if not isinstance(exc, yaml.MarkedYAMLError):
        return Problem(message=f"This is not YAML: {exc}", file=file, code="yaml")
    mark = exc.problem_mark or exc.context_mark
    message = ", ".join(part for part in (exc.context, exc.problem) if part)
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    return Problem(
        message=f"This is not YAML: {message}",
        file=file,
        line=mark.line + 1 if mark else 0,
        column=mark.column + 1 if mark else 0,
        code="yaml",
        hint=_hint(message, line[mark.column :] if mark else ""),
    )


class _Composer:
    """Makes one document's tree; ``_sizes`` counts the nodes below each anchored one."""

    def __init__(self, file: str, events: Iterator[yaml.Event]) -> None:
        self._file = file
        self._events = events
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._nodes = 0
        self._depth = 0
        self._deepest = 0
        self._path = ""
        self.problems: list[Problem] = []

    def compose(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                message = "A second YAML document is not supported yet"
                raise _YamlError(message, self._place(event), code="unsupported")
            if isinstance(event, yaml.NodeEvent):
                root = self._compose(event)
        return root

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _compose(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(1, event)
        anchor = event.anchor if isinstance(event, yaml.NodeEvent) else None
        if anchor is None:
            return self._node(event)
        self._anchors[anchor] = None
        before, outer = self._nodes, self._deepest
        self._deepest = self._depth
        node = self._node(event)
        self._anchors[anchor] = (node, self._nodes - before + 1, self._deepest - self._depth)
        self._deepest = max(outer, self._deepest)
        return node

    def _compose_at(self, step: str, event: yaml.Event) -> Node:
        outer = self._path
        self._path += step
        node = self._compose(event)
        self._path = outer
        return node

    def _node(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        self._enter(1, event)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        node = self._list(event) if is_list else self._map(event)
        self._depth -= 1
        return node

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"The file has more than {MAX_NODES} values once its aliases are expanded"
            raise _YamlError(message, self._place(event), code="too_big")

    def _enter(self, levels: int, event: yaml.Event) -> None:
        self._depth += levels
        self._deepest = max(self._deepest, self._depth)
        if self._depth > MAX_DEPTH:
            message = f"The file is nested deeper than {MAX_DEPTH} levels"
            raise _YamlError(message, self._place(event), code="too_deep")

    def _alias(self, event: yaml.AliasEvent) -> Node:
        name = event.anchor or ""
        if name not in self._anchors:
            raise _YamlError(f"There is no &{name} above", self._place(event))
        known = self._anchors[name]
        if known is None:
            raise _YamlError(f"*{name} stands inside &{name} itself", self._place(event))
        node, nodes, levels = known
        self._count(nodes, event)
        self._enter(levels, event)
        self._depth -= levels
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        place = self._place(event)
        if event.tag is not None and event.tag != "!":
            try:
                return ScalarNode(place, resolve_tagged(event.value, event.tag), event.value)
            except InvalidValueError as exc:
                raise _YamlError(exc.message, place, code=exc.code) from exc
        value = resolve_plain(event.value) if event.implicit[0] else event.value
        return ScalarNode(place, value, event.value)

    def _list(self, event: yaml.Event) -> ListNode:
        self._check_tag(event, "tag:yaml.org,2002:seq")
        items: list[Node] = []
        for item in self._events:
            if isinstance(item, yaml.SequenceEndEvent):
                break
            items.append(self._compose_at(f"[{len(items)}]", item))
        return ListNode(self._place(event), tuple(items))

    def _check_tag(self, event: yaml.Event, allowed: str) -> None:
        tag = event.tag if isinstance(event, yaml.CollectionStartEvent) else None
        if tag not in (None, "!", allowed):
            message = f"The tag {tag} is not supported"
            raise _YamlError(message, self._place(event), code="unsupported")

    def _map(self, event: yaml.Event) -> MapNode:
        self._check_tag(event, "tag:yaml.org,2002:map")
        entries: dict[str, Entry] = {}
        merged: list[MapNode] = []
        for key_event in self._events:
            if isinstance(key_event, yaml.MappingEndEvent):
                break
            key = self._compose(key_event)
            name = key.text if isinstance(key, ScalarNode) else ""
            value = self._compose_at(f".{name}" if self._path else name, next(self._events))
            if isinstance(key, ScalarNode) and key.text == "<<" and _is_plain(key_event):
                merged += self._merge_sources(value)
            else:
                self._add(entries, key, self._place(key_event), value)
        for source in merged:
            for name, entry in source.entries.items():
                entries.setdefault(name, entry)
        self._count(sum(len(source.entries) for source in merged), event)
        return MapNode(self._place(event), entries)

    def _add(self, entries: dict[str, Entry], key: Node, place: Place, value: Node) -> None:
        if not isinstance(key, ScalarNode):
            raise _YamlError("A key must be a single word", place)
        name = key.value if isinstance(key.value, str) else key.text
        if name in entries:
            first = entries[name].place.line
            self._report(f'The key "{name}" is there twice, first in line {first}', place, name)
            return
        if not isinstance(key.value, str):
            self._report(f"The key {name} is no string", place, name, f'Write it as "{name}".')
        entries[name] = Entry(place, value)

    def _report(self, message: str, place: Place, name: str, hint: str = "") -> None:
        problem = Problem(
            message=message,
            file=place.file,
            line=place.line,
            column=place.column,
            path=f"{self._path}.{name}" if self._path else name,
            code="duplicate_key" if "twice" in message else "key",
            hint=hint,
        )
        self.problems.append(problem)

    def _merge_sources(self, value: Node) -> list[MapNode]:
        sources = value.items if isinstance(value, ListNode) else (value,)
        for source in sources:
            if not isinstance(source, MapNode):
                raise _YamlError('"<<" takes a mapping or a list of mappings', source.place)
        return [source for source in sources if isinstance(source, MapNode)]


def _is_plain(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and bool(event.implicit[0])
