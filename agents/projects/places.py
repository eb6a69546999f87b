"""From a field to its line, so that an error of the engine points into the user's file."""

import re
from collections.abc import Mapping

from agents.compose.model import Project, Service
from agents.compose.nodes import ListNode, MapNode, Node
from agents.compose.yamltext import parse_yaml
from agents.errors import AgentError, ConflictError, NotFoundError

_INDEX = re.compile(r"^(.*)\[(\d+)\]$")


class Places:
    """Finds fields in a project's compose file."""

    def __init__(self, project: Project, files: Mapping[str, str]) -> None:
        self._file = project.config_files[0] if project.config_files else ""
        self._text = files.get(self._file, "")

    def mark(self, error: AgentError, field: str) -> AgentError:
        """Give an error the place of ``field`` unless it has one; return it."""
        if not error.file:
            error.file, error.field = self._file, field
            error.line = self.line(field)
        return error

    def line(self, field: str) -> int | None:
        """Return the line of a field as ``services.web.ports[0]``, or of what holds it."""
        node, _ = parse_yaml(self._text, self._file)
        line = None
        for step in _steps(field):
            found = _child(node, step) if node is not None else None
            if found is None:
                break
            line, node = found
        return line


def field_of(error: AgentError, service: Service) -> str:
    """Return the field of ``service`` that an engine's error is most likely about."""
    base = f"services.{service.name}"
    if isinstance(error, ConflictError):
        for index, port in enumerate(service.ports):
            if port.published and str(port.published) in error.message:
                return f"{base}.ports[{index}]"
    if isinstance(error, NotFoundError):
        for index, mount in enumerate(service.volumes):
            if mount.source and mount.source in error.message:
                return f"{base}.volumes[{index}]"
        if service.image and service.image in error.message:
            return f"{base}.image"
    return base


def _steps(field: str) -> list[str | int]:
    steps: list[str | int] = []
    for part in field.split("."):
        match = _INDEX.match(part)
        steps += [match[1], int(match[2])] if match else [part]
    return steps


def _child(node: Node, step: str | int) -> tuple[int, Node] | None:
    if isinstance(node, MapNode) and isinstance(step, str) and step in node.entries:
        entry = node.entries[step]
        return entry.place.line, entry.node
    if isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
        return node.items[step].place.line, node.items[step]
    return None
