"""Names of signals."""

import signal

import pytest

from agents.engines.signals import signal_number
from agents.errors import InvalidInputError


@pytest.mark.parametrize(
    ("name", "number"),
    [("SIGTERM", 15), ("term", 15), ("9", 9), ("SIGRTMIN+3", signal.SIGRTMIN + 3)],
)
def test_a_signal_is_known_by_its_names(name: str, number: int) -> None:
    assert signal_number(name) == number


@pytest.mark.parametrize("name", ["", "SIGNONE", "0", "99", "TERM+1", "RTMIN+x"])
def test_what_is_no_signal_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        signal_number(name)
