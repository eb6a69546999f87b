"""The errors of the panel, one tree.

PanelError
├── InvalidInputError    what was sent cannot be taken (422)
├── ConflictError        a name is taken, or the thing is not in a state for it (409)
├── GoneError            a link or token has been used, revoked or has expired (410)
├── RefusedError         the sender is not who it claims to be (403)
├── UnavailableError     Redis or a host cannot be reached now (503)
└── SetupError           the panel's own files are missing or wrong (500)

Who may see or change a thing is not here: access functions raise Django's ``Http404`` for
strangers and ``PermissionDenied`` for readers.
"""

from typing import ClassVar


class PanelError(Exception):
    """Base of everything the panel raises on purpose; ``hint`` says what to do."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field


class InvalidInputError(PanelError):
    """What was sent cannot be taken; ``field`` names the form's field where there is one."""

    code = "invalid_input"
    status = 422


class ConflictError(PanelError):
    """A name is taken, or the thing is not in a state that allows the act."""

    code = "conflict"
    status = 409


class GoneError(PanelError):
    """A link or token has been used, revoked or has expired."""

    code = "gone"
    status = 410


class RefusedError(PanelError):
    """The sender is not who it claims to be."""

    code = "refused"
    status = 403


class UnavailableError(PanelError):
    """Redis or a host cannot be reached now; trying again may help."""

    code = "unavailable"
    status = 503


class SetupError(PanelError):
    """The panel's own files are missing or wrong."""

    code = "setup"
    status = 500
