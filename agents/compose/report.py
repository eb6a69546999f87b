"""Collects what is wrong with the files of one project."""

import msgspec

from agents.compose.errors import InvalidValueError, Problem, Severity
from agents.compose.nodes import Place

MAX_PROBLEMS = 200
_LONGEST = 400


class Report:
    """The problems found so far, each once. Beyond a bound further ones are dropped."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether further problems are dropped."""
        return len(self._problems) >= MAX_PROBLEMS

    def add(self, problem: Problem) -> None:
        """Keep a problem, its texts shortened."""
        if not self.is_full:
            short = msgspec.structs.replace(
                problem, message=_shorten(problem.message), path=_shorten(problem.path)
            )
            self._problems.setdefault(short)

    def at(
        self,
        place: Place,
        path: str,
        wrong: InvalidValueError,
        *,
        severity: Severity = "error",
    ) -> None:
        """Keep what is wrong with the value at a place."""
        problem = Problem(
            message=wrong.message,
            file=place.file,
            line=place.line,
            column=place.column,
            path=path,
            code=wrong.code,
            expected=wrong.expected,
            hint=wrong.hint,
            severity=severity,
        )
        self.add(problem)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The errors, in the order of the lines."""
        return self._sorted("error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, in the order of the lines."""
        return self._sorted("warning")

    def _sorted(self, severity: Severity) -> tuple[Problem, ...]:
        chosen = (problem for problem in self._problems if problem.severity == severity)
        return tuple(
            sorted(chosen, key=lambda problem: (problem.file, problem.line, problem.column))
        )


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
