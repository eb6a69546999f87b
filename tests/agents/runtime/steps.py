"""A place for what an operation says, in tests that need no Redis."""

from agents.errors import CancelledError


class Steps:
    """Implements :class:`agents.projects.progress.Progress` and remembers everything."""

    operation_id = "0" * 32

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.progress: list[tuple[int, int]] = []
        self.cancel_at = ""

    def step(self, text: str, *, service: str = "") -> None:
        self.texts.append(text)

    def output(self, text: str, *, service: str = "", stream: str = "stdout") -> None:
        self.texts.append(text)

    def advance(self, done: int, total: int, message: str) -> None:
        self.progress.append((done, total))

    def cancelled(self) -> bool:
        return bool(self.cancel_at) and any(self.cancel_at in text for text in self.texts)

    def check(self) -> None:
        if self.cancelled():
            raise CancelledError("the operation was cancelled")
