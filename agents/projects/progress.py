"""How long work tells what it does, and learns that nobody wants it any more."""

from typing import Literal, Protocol


class Progress(Protocol):
    """What an operation offers to the code that does it. All methods return at once."""

    operation_id: str

    def step(self, text: str, *, service: str = "") -> None:
        """Say in one line what is being done."""
        ...

    def output(
        self, text: str, *, service: str = "", stream: Literal["stdout", "stderr"] = "stdout"
    ) -> None:
        """Pass on one line that a program wrote."""
        ...

    def advance(self, done: int, total: int, message: str) -> None:
        """Say how far the work is."""
        ...

    def cancelled(self) -> bool:
        """Return whether the work should end at its next safe point."""
        ...

    def check(self) -> None:
        """Raise ``CancelledError`` if the work should end."""
        ...
