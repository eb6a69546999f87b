"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

import time
from collections.abc import Callable

DEADLINE = 60.0
_STEP = 0.01


def wait_until(reached: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Return once ``reached`` says yes; fail, naming ``what`` was waited for, past the deadline."""
    end = time.monotonic() + deadline
    while not reached():
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        time.sleep(_STEP)
