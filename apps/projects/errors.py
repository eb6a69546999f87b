"""The errors of projects; see ``apps.core.errors`` for the tree that they belong to."""

from agents.compose.errors import Problem
from apps.core.errors import InvalidInputError


class FilesRefusedError(InvalidInputError):
    """The files have errors; nothing was sent to the host. ``problems`` has all of them."""

    code = "files_refused"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        count = len(errors) or len(problems)
        noun = "error" if count == 1 else "errors"
        super().__init__(f"The files have {count} {noun}; what runs was not touched.")
        self.problems = problems
