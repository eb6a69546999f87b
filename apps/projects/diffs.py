"""What changed from one set of files to another, line by line."""

import difflib
from dataclasses import dataclass
from typing import Literal

from apps.projects.files import Files

LineKind = Literal["added", "removed", "same", "place"]


@dataclass(frozen=True, kw_only=True)
class DiffLine:
    """One line of a unified diff; ``place`` says where the next lines are."""

    kind: LineKind
    text: str


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """A file that was added, removed or changed."""

    path: str
    verb: Literal["added", "removed", "changed"]
    lines: tuple[DiffLine, ...]

    @property
    def added(self) -> int:
        """How many lines are new."""
        return sum(line.kind == "added" for line in self.lines)

    @property
    def removed(self) -> int:
        """How many lines are gone."""
        return sum(line.kind == "removed" for line in self.lines)


def compare_files(before: Files, after: Files) -> list[FileChange]:
    """Return the changes, by path; files that are the same are left out."""
    old = {file.path: file.content for file in before}
    new = {file.path: file.content for file in after}
    return [
        _compare(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def _compare(path: str, before: str | None, after: str | None) -> FileChange:
    verb: Literal["added", "removed", "changed"] = "changed"
    if before is None or after is None:
        verb = "added" if before is None else "removed"
    lines = difflib.unified_diff(
        (before or "").splitlines(), (after or "").splitlines(), lineterm="", n=3
    )
    # The first two lines only name the files.
    shown = tuple(_line(text) for text in list(lines)[2:])
    return FileChange(path=path, verb=verb, lines=shown)


def _line(text: str) -> DiffLine:
    kinds: dict[str, LineKind] = {"+": "added", "-": "removed", "@": "place"}
    kind = kinds.get(text[:1], "same")
    return DiffLine(kind=kind, text=text if kind == "place" else text[1:])
