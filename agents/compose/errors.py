"""What can be wrong with a project's files, one tree.

ComposeError
├── ComposeErrors        the files have errors; holds every one of them
├── InvalidValueError    one value is wrong; becomes a Problem where its place is known
│   └── VariableError    a ``${…}`` is malformed or its variable is required and not set
└── FileReadError        a named file could not be read
    ├── FileMissingError     it is not there
    └── FileRefusedError     it leaves the project's folder, is too big or is no plain text

A message shows what the file says, with the names of its variables and not their values.
"""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong in a file, or that will not have the effect it seems to have.

    ``line`` and ``column`` count from 1; 0 means the file as a whole. ``path`` names the
    place in the document, as ``services.web.ports[0]``. ``expected`` says what would be
    right there, ``hint`` what to do; either may be "".
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    code: str = "invalid"
    expected: str = ""
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = ": ".join(part for part in (place, self.path, self.message) if part)
        extra = [f"expected {self.expected}"] if self.expected else []
        extra += [self.hint] if self.hint else []
        return f"{text} ({'; '.join(extra)})" if extra else text


class ComposeError(Exception):
    """Base of everything that this package raises on purpose."""


class ComposeErrors(ComposeError):
    """The files have errors; ``errors`` has all of them, in the order of the files' lines."""

    def __init__(self, errors: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in errors))
        self.errors = errors


class InvalidValueError(ComposeError):
    """One value is wrong. The place is added by whoever knows it."""

    def __init__(
        self, message: str, *, expected: str = "", hint: str = "", code: str = "invalid"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.hint = hint
        self.code = code


class VariableError(InvalidValueError):
    """A ``${…}`` is malformed, or its variable is required and not set."""


class FileReadError(ComposeError):
    """A file of the project could not be read; ``path`` is as it was asked for."""

    code = "unreadable"

    def __init__(self, path: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint


class FileMissingError(FileReadError):
    """The file is not there."""

    code = "missing_file"


class FileRefusedError(FileReadError):
    """The file leaves the project's folder, is too big, or is no plain text."""

    code = "refused_file"
