"""Which keys a mapping may have, and what becomes of the others: never silence."""

import difflib
from collections.abc import Mapping
from typing import NamedTuple

from agents.compose.errors import InvalidValueError
from agents.compose.nodes import Place
from agents.compose.report import Report

_LONGEST_WORD = 64


class KeyTable(NamedTuple):
    """The keys of one kind of mapping.

    ``supported`` are read; ``refused`` would change what runs and are errors; ``ignored``
    would not and are warnings. Both map the key to a hint. Keys that begin with ``x-`` are
    always allowed.
    """

    supported: frozenset[str]
    refused: Mapping[str, str] = {}
    ignored: Mapping[str, str] = {}

    def known(self) -> list[str]:
        """Return every key of the specification for this mapping."""
        return [*self.supported, *self.refused, *self.ignored]


def keys(text: str) -> frozenset[str]:
    """Return the words of a text as a set of keys."""
    return frozenset(text.split())


def hints(text: str, hint: str = "") -> dict[str, str]:
    """Return the words of a text as keys that share a hint."""
    return dict.fromkeys(text.split(), hint)


def refuse_unknown(table: KeyTable, key: str, place: Place, path: str, report: Report) -> None:
    """Report a key that is not read: refused, ignored, or unknown with the nearest known one."""
    if report.is_full:
        return
    if key in table.ignored:
        message = f'"{key}" is ignored'
        wrong = InvalidValueError(message, hint=table.ignored[key], code="ignored")
        report.at(place, path, wrong, severity="warning")
    elif key in table.refused:
        message = f'"{key}" is not supported yet'
        hint = table.refused[key] or "Remove it to deploy without it."
        report.at(place, path, InvalidValueError(message, hint=hint, code="unsupported"))
    else:
        report.at(place, path, _unknown(table, key))


def _unknown(table: KeyTable, key: str) -> InvalidValueError:
    near = nearest(key, table.known())
    return InvalidValueError(
        f'"{key}" is not a key that is known here',
        hint=f'Did you mean "{near}"?' if near else 'Keys of your own begin with "x-".',
        code="unknown_key",
    )


def nearest(word: str, known: list[str]) -> str:
    """Return the known word that the word most looks like, "" if it looks like none."""
    if len(word) > _LONGEST_WORD:
        return ""
    normal = word.lower().replace("-", "_")
    if normal in known:
        return normal
    found = difflib.get_close_matches(normal, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else ""
