"""Here-documents: ``RUN <<EOF`` and ``COPY <<file /target``."""

import re
from dataclasses import dataclass, replace

from agents.engines.native.build.shell import Expander

_START = re.compile(r"(\d*)<<(-?)\s*([^<]*)")


@dataclass(frozen=True, kw_only=True)
class Heredoc:
    """One here-document; ``expand`` says whether its variables are to be replaced."""

    name: str
    expand: bool
    chomp: bool
    content: str = ""

    def ends_at(self, line: str) -> bool:
        """Return whether this line closes it."""
        line = line.rstrip("\r\n")
        return (line.lstrip("\t") if self.chomp else line) == self.name

    def with_content(self, lines: list[str]) -> "Heredoc":
        """Return the same with its lines."""
        if self.chomp:
            lines = [line.lstrip("\t") for line in lines]
        return replace(self, content="".join(lines))


def find_heredocs(text: str) -> tuple[Heredoc, ...]:
    """Return the here-documents that the words of a line begin.

    Raises ``InvalidInputError`` for a quote that is not closed.
    """
    raw = Expander(keep_unset=True, raw_quotes=True, raw_escapes=True)
    found = (parse_heredoc(word) for word in raw.expand(text, {}).words)
    return tuple(one for one in found if one is not None)


def parse_heredoc(word: str) -> Heredoc | None:
    """Return what a word like ``<<-EOF`` begins, or None."""
    match = _START.fullmatch(word)
    if match is None or not match[3]:
        return None
    names = Expander(keep_unset=True).expand(match[3], {}).words
    if len(names) != 1:
        return None
    return Heredoc(name=names[0], expand=names[0] == match[3], chomp=bool(match[2]))
