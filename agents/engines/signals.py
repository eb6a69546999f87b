"""Signals by the names that people write."""

import signal

from agents.errors import InvalidInputError


def signal_number(name: str) -> int:
    """Return the number of ``SIGTERM``, ``term``, ``15`` or ``SIGRTMIN+3``.

    Raises:
        InvalidInputError: there is no such signal.
    """
    text = name.strip().upper()
    if text.isdecimal() and 0 < int(text) <= signal.SIGRTMAX:
        return int(text)
    base, plus, offset = text.removeprefix("SIG").partition("+")
    known = signal.Signals.__members__.get(f"SIG{base}")
    if known is None or (plus and not (base == "RTMIN" and offset.isdecimal())):
        raise InvalidInputError(f"there is no signal {name!r}", field="stop_signal")
    return known + int(offset or 0)
