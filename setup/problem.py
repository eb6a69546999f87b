"""The one error of the set-up: a sentence for the person at the keyboard."""

from __future__ import annotations


class Problem(Exception):
    """Something stops the set-up; ``what`` happened and ``do`` says how to mend it."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what} {do}")
        self.what = what
        self.do = do
