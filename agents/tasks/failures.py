"""From exceptions to the errors that people see."""

import errno

from agents.compose.errors import ComposeErrors, FileReadError, InvalidValueError, Problem
from agents.errors import AgentError, OutOfSpaceError
from agents.protocol.events import ErrorInfo


def error_infos(error: BaseException) -> tuple[ErrorInfo, ...]:
    """Return the errors behind an exception, the cause first."""
    if isinstance(error, AgentError):
        return (error.to_info(),)
    if isinstance(error, ComposeErrors):
        return tuple(from_problem(problem) for problem in error.errors)
    if isinstance(error, FileReadError):
        info = ErrorInfo(code=error.code, message=error.message, hint=error.hint, file=error.path)
        return (info,)
    if isinstance(error, InvalidValueError):
        return (ErrorInfo(code=error.code, message=error.message, hint=error.hint),)
    if isinstance(error, OSError):
        return (_from_os(error),)
    return (_unexpected(error),)


def from_problem(problem: Problem) -> ErrorInfo:
    """Return a problem of a project's file as it travels to the panel."""
    expected = f"expected {problem.expected}" if problem.expected else ""
    return ErrorInfo(
        code=problem.code,
        message=problem.message,
        hint="; ".join(part for part in (expected, problem.hint) if part),
        file=problem.file,
        line=problem.line or None,
        column=problem.column or None,
        field=problem.path,
    )


def _from_os(error: OSError) -> ErrorInfo:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        full = OutOfSpaceError("the disk is full", hint="Free some space, then try again.")
        return full.to_info()
    place = f": {error.filename}" if error.filename else ""
    return ErrorInfo(code="system", message=f"{error.strerror or error}{place}")


def _unexpected(error: BaseException) -> ErrorInfo:
    return ErrorInfo(
        code="internal",
        message=f"the agent met an error that it does not know: {type(error).__name__}",
        hint="The agent's own log has the details.",
    )
