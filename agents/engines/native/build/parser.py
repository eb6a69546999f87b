"""Reads a Dockerfile into instructions; what they mean is not known here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.engines.native.build.heredoc import Heredoc, find_heredocs
from agents.engines.native.build.words import read_json, split_flags, split_pairs, split_words
from agents.errors import BuildError, InvalidInputError

LONGEST_LINE = 65535
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = ("syntax", "escape", "check")
_HEREDOC_KEYWORDS = ("add", "copy", "run")
_JSON_OR_TEXT = ("cmd", "entrypoint", "run", "shell")
_JSON_OR_WORDS = ("add", "copy", "volume")
_PAIRS = ("env", "label")
_TEXT = ("maintainer", "stopsignal", "user", "workdir")
_SPACED = ("expose", "from")


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction. ``keyword`` is in lower case, ``line`` and ``end`` count from 1.

    ``args`` depends on the keyword: name, value, separator for each pair of ENV and LABEL;
    the words of ADD, COPY, EXPOSE, FROM, VOLUME and ARG; else one text, or the items of
    the JSON list if ``is_json``. ``child`` is what ONBUILD holds.
    """

    keyword: str
    args: tuple[str, ...]
    flags: tuple[str, ...] = ()
    is_json: bool = False
    line: int
    end: int
    original: str
    heredocs: tuple[Heredoc, ...] = ()
    child: "Instruction | None" = None

    @property
    def text(self) -> str:
        """Return the instruction on one line, its here-documents left out."""
        keyword, _, rest = self.original.partition(" ")
        return f"{keyword.upper()} {rest.strip()}".strip()


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """The instructions of a file; ``escape`` is its escape character."""

    instructions: tuple[Instruction, ...]
    escape: str
    name: str


def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Read a Dockerfile. Raises ``BuildError`` with file and line."""
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BuildError("The file has a NUL in it.", file=name, line=line)
    reader = _Reader(text.removeprefix("\ufeff"), name)
    instructions = tuple(reader.instructions())
    if not instructions:
        raise BuildError("The file has no instructions.", file=name)
    return Dockerfile(instructions=instructions, escape=reader.escape, name=name)


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._lines: list[str] = re.findall(r"[^\n]*\n|[^\n]+", text)
        self._name = name
        self._at = 0
        self.escape = "\\"
        self._read_directives()

    def instructions(self) -> Iterator[Instruction]:
        while self._at < len(self._lines):
            start = self._at + 1
            line = self._read_logical()
            if line.strip():
                try:
                    yield self._with_heredocs(self._parse_line(line, start))
                except InvalidInputError as exc:
                    raise self._error(exc.message, start) from exc

    def _read_directives(self) -> None:
        seen: set[str] = set()
        for number, line in enumerate(self._lines, 1):
            found = _DIRECTIVE.fullmatch(line.strip())
            key = found[1].lower() if found else ""
            if found is None or key not in _DIRECTIVES:
                return
            if key in seen:
                raise self._error(f"The directive {key!r} is there twice.", number)
            seen.add(key)
            if key == "escape":
                self._set_escape(found[2], number)

    def _set_escape(self, value: str, number: int) -> None:
        if value not in ("\\", "`"):
            raise self._error(f"The escape character is {value!r}, not '\\' or '`'.", number)
        self.escape = value

    def _read_logical(self) -> str:
        """Return the next line with its continuations; comments and empty lines in it go."""
        line = self._next().lstrip()
        if line.startswith("#"):
            return ""
        line, goes_on = self._cut_continuation(line)
        while goes_on and self._at < len(self._lines):
            more = self._next()
            if not more.strip() or more.lstrip().startswith("#"):
                continue
            more, goes_on = self._cut_continuation(more)
            line += more
        return line

    def _cut_continuation(self, line: str) -> tuple[str, bool]:
        bare = line.rstrip(" \t")
        escapes = bare.endswith(self.escape) and not bare[:-1].endswith(self.escape)
        return (bare[:-1], True) if escapes else (line, False)

    def _next(self) -> str:
        line = self._lines[self._at]
        self._at += 1
        if len(line) > LONGEST_LINE:
            raise self._error(f"The line is longer than {LONGEST_LINE} characters.", self._at)
        return line.rstrip("\r\n")

    def _parse_line(self, line: str, start: int) -> Instruction:
        word, rest = _split_first(line.strip())
        keyword = word.lower()
        flags, rest = split_flags(rest, self.escape)
        args, is_json, child = self._read_args(keyword, rest, start)
        return Instruction(
            keyword=keyword,
            args=args,
            flags=flags,
            is_json=is_json,
            line=start,
            end=self._at,
            original=line,
            child=child,
        )

    def _read_args(
        self, keyword: str, rest: str, start: int
    ) -> tuple[tuple[str, ...], bool, Instruction | None]:
        if keyword == "onbuild":
            return (), False, self._parse_line(rest, start) if rest else None
        if keyword == "healthcheck":
            kind, command = _split_first(rest)
            items = read_json(command) if kind.upper() == "CMD" else None
            given = items if items is not None else (command,) if command else ()
            return (kind, *given) if kind else (), items is not None, None
        if keyword in _JSON_OR_TEXT or keyword in _JSON_OR_WORDS:
            items = read_json(rest)
            if items is not None:
                return items, True, None
        return self._read_plain(keyword, rest), False, None

    def _read_plain(self, keyword: str, rest: str) -> tuple[str, ...]:
        if keyword in _PAIRS:
            return split_pairs(rest, self.escape, keyword)
        if keyword == "arg":
            return tuple(split_words(rest, self.escape))
        if keyword in _JSON_OR_WORDS or keyword in _SPACED:
            return tuple(rest.split())
        return (rest,) if rest else ()

    def _with_heredocs(self, instruction: Instruction) -> Instruction:
        holder = instruction.child or instruction
        if holder.keyword not in _HEREDOC_KEYWORDS or holder.is_json:
            return instruction
        # Here-documents are BuildKit's; an unclosed quote is the shell's business.
        try:
            starts = find_heredocs(" ".join(holder.args))
        except InvalidInputError:
            return instruction
        if not starts:
            return instruction
        heredocs = tuple(self._read_heredoc(one, instruction.line) for one in starts)
        return _replace(instruction, heredocs, self._at)

    def _read_heredoc(self, heredoc: Heredoc, start: int) -> Heredoc:
        lines: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if heredoc.ends_at(line):
                return heredoc.with_content(lines)
            lines.append(line)
        raise self._error(f"The here-document {heredoc.name!r} is not closed.", start)

    def _error(self, message: str, line: int) -> BuildError:
        return BuildError(message, file=self._name, line=line)


def _split_first(text: str) -> tuple[str, str]:
    parts = re.split(r"[\t\v\f\r ]+", text, maxsplit=1)
    return parts[0], parts[1].strip() if len(parts) > 1 else ""


def _replace(instruction: Instruction, heredocs: tuple[Heredoc, ...], end: int) -> Instruction:
    child = instruction.child
    return Instruction(
        keyword=instruction.keyword,
        args=instruction.args,
        flags=instruction.flags,
        is_json=instruction.is_json,
        line=instruction.line,
        end=end,
        original=instruction.original,
        heredocs=heredocs,
        child=_replace(child, heredocs, end) if child else None,
    )
