"""The errors of the agent, one tree.

AgentError
├── NotSupportedError      this engine or machine cannot do it; a test turns it into a skip
├── NotFoundError          the named image, container, network or volume is not there
├── ConflictError          a name, port or subnet is taken, or something is in use
├── InvalidInputError      a spec, file or field is wrong; says where
│   └── PathEscapeError    a path leaves the folder it must stay in
├── ProgramError           a program ended with an error; has argv, exit code, stderr
├── KernelError            a kernel call failed; has errno and what it was called on
├── BuildError             a step of a Dockerfile failed; has the line
├── OutOfSpaceError        the disk is full
├── TimedOutError          a deadline passed
├── UnreachableError       the panel does not answer
├── RegistryError          a registry cannot be reached, or answers what it should not
│   └── AccessDeniedError  it wants a login, or the login may not do this
├── CancelledError         somebody cancelled the operation
└── RefusedError           a message failed its check (see agents.protocol.envelope)
    └── EnrolmentError     the panel did not take this host

Each has a stable ``code`` (for machines), a ``message`` (what happened, one sentence),
a ``hint`` (what to do) and the place in the user's files where there is one.
"""

from agents.protocol.events import ErrorInfo


class AgentError(Exception):
    """Base of everything the agent raises on purpose."""

    code = "error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str = "",
        line: int | None = None,
        field: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line
        self.field = field

    def to_info(self) -> ErrorInfo:
        """Return the error as it travels to the panel."""
        return ErrorInfo(
            code=self.code,
            message=self.message,
            hint=self.hint,
            file=self.file,
            line=self.line,
            field=self.field,
        )


class NotSupportedError(AgentError):
    """This engine or this machine cannot do what was asked."""

    code = "not_supported"


class NotFoundError(AgentError):
    """The named thing does not exist on this host."""

    code = "not_found"


class ConflictError(AgentError):
    """A name, port or subnet is taken, or the thing is in use."""

    code = "conflict"


class InvalidInputError(AgentError):
    """A spec, a file or a field is wrong."""

    code = "invalid_input"


class PathEscapeError(InvalidInputError):
    """A path leaves the folder that it must stay in."""

    code = "path_escape"


class ProgramError(AgentError):
    """A program that the agent ran ended with an error."""

    code = "program_failed"

    def __init__(self, message: str, *, argv: tuple[str, ...], exit_code: int, stderr: str) -> None:
        super().__init__(message)
        self.argv = argv
        self.exit_code = exit_code
        self.stderr = stderr


class KernelError(AgentError):
    """A kernel call failed."""

    code = "kernel"

    def __init__(self, message: str, *, errno: int, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.errno = errno
        self.path = path


class BuildError(AgentError):
    """A step of a Dockerfile failed."""

    code = "build_failed"


class OutOfSpaceError(AgentError):
    """The file system has no room left."""

    code = "no_space"


class TimedOutError(AgentError):
    """A deadline passed before the thing was done."""

    code = "timed_out"
    retryable = True


class UnreachableError(AgentError):
    """The panel does not answer."""

    code = "panel_unreachable"
    retryable = True


class RegistryError(AgentError):
    """A registry cannot be reached, or does not answer as one."""

    code = "registry_failed"


class AccessDeniedError(RegistryError):
    """A registry wants a login, or the login that it got may not do this."""

    code = "access_denied"


class CancelledError(AgentError):
    """Somebody cancelled the operation."""

    code = "cancelled"


class RefusedError(AgentError):
    """A message failed its check and was not acted on."""

    code = "refused"


class EnrolmentError(RefusedError):
    """The panel did not take this host."""

    code = "enrolment_refused"
