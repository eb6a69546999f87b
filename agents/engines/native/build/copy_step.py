"""What a COPY or ADD asks for, read from its words and flags."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agents.engines.native.build.copy import CopyJob, read_mode
from agents.engines.native.build.heredoc import Heredoc, parse_heredoc
from agents.engines.native.build.parser import Instruction
from agents.engines.native.build.patterns import Matcher
from agents.engines.native.build.sources import Source, SourceTree
from agents.engines.native.build.state import StageState
from agents.engines.native.build.support import check_source
from agents.errors import InvalidInputError


@dataclass(frozen=True, kw_only=True)
class CopyRequest:
    """``patterns`` to copy to ``target`` (absolute), with flags by their names.

    ``into`` tells that the target was written as a folder.
    """

    keyword: str
    patterns: tuple[str, ...]
    target: str
    into: bool
    flags: Mapping[str, str]
    heredocs: tuple[Heredoc, ...]

    def find_sources(self, tree: SourceTree, scratch: Path) -> list[Source]:
        """Return all sources; here-documents are written below ``scratch``.

        Raises ``NotFoundError``, ``InvalidInputError``.
        """
        sources = self._write_heredocs(scratch)
        for pattern in self.patterns:
            sources.extend(tree.find(pattern))
        if len(sources) > 1 and not self.into:
            raise InvalidInputError(
                f"{self.keyword.upper()} of several sources needs a folder to copy to.",
                hint="End the destination with '/'.",
            )
        return sources

    def job(self, sources: Sequence[Source], owner: tuple[int, int] | None) -> CopyJob:
        """Return what is to be done. Raises ``InvalidInputError`` for a bad mode."""
        return CopyJob(
            sources=sources,
            target=self.target,
            into=self.into,
            owner=owner,
            mode=read_mode(self.flags.get("chmod", "")),
            unpack=self.keyword == "add",
        )

    def key_parts(self, sources: Sequence[Source]) -> tuple[str, ...]:
        """Return all that the result depends on, besides what is there before."""
        flags = (f"{name}={text}" for name, text in sorted(self.flags.items()) if name != "from")
        files = (part for one in sources for part in (one.name, one.digest()))
        return (self.keyword, self.target, str(self.into), *flags, "--", *files)

    def _write_heredocs(self, scratch: Path) -> list[Source]:
        if not self.heredocs:
            return []
        tree = SourceTree(root=scratch, ignored=Matcher(()), owner=(0, 0))
        for heredoc in self.heredocs:
            path = scratch / posixpath.basename(heredoc.name)
            path.write_text(heredoc.content)
            path.chmod(0o644)
        return [source for one in self.heredocs for source in tree.find(one.name)]


def read_request(state: StageState, instruction: Instruction) -> CopyRequest:
    """Read a COPY or ADD. Raises ``InvalidInputError``, ``NotSupportedError``."""
    words = [word for word in instruction.args if not _is_heredoc(word, instruction)]
    # Escapes stay in the patterns, where they say that a '*' is no wildcard.
    raw = replace(state.expander, raw_escapes=True)
    patterns = [raw.expand(word, state.variables()).word for word in words[:-1]]
    target = state.expand(words[-1])
    if instruction.keyword == "add":
        # What a variable holds is known only now.
        for pattern in patterns:
            check_source(pattern)
    return CopyRequest(
        keyword=instruction.keyword,
        patterns=tuple(patterns),
        target=posixpath.join("/", state.working_dir, target),
        into=posixpath.basename(target) in ("", ".", ".."),
        flags=_read_flags(state, instruction),
        heredocs=tuple(_expanded(state, one) for one in instruction.heredocs),
    )


def _is_heredoc(word: str, instruction: Instruction) -> bool:
    return bool(instruction.heredocs) and parse_heredoc(word) is not None


def _expanded(state: StageState, heredoc: Heredoc) -> Heredoc:
    if not heredoc.expand:
        return heredoc
    content = state.quoteless().expand(heredoc.content, state.variables()).word
    return heredoc.with_content([content])


def _read_flags(state: StageState, instruction: Instruction) -> dict[str, str]:
    flags: dict[str, str] = {}
    for flag in instruction.flags:
        name, _, text = flag.removeprefix("--").partition("=")
        flags[name] = state.expand(text)
    return flags
