"""Durations, sizes, CPU counts and numbers in the notations of the Compose specification."""

import re
from decimal import Decimal

from agents.compose.errors import InvalidValueError

NANOSECONDS = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": NANOSECONDS,
    "m": 60 * NANOSECONDS,
    "h": 3600 * NANOSECONDS,
    "d": 24 * 3600 * NANOSECONDS,
    "w": 7 * 24 * 3600 * NANOSECONDS,
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LARGEST_DURATION = 2**63


def parse_duration(text: str) -> int:
    """Return a duration such as ``1m30s`` or ``1.5h`` in nanoseconds; it cannot be negative."""
    position, total = 0, 0
    while position < len(text):
        part = _DURATION_PART.match(text, position)
        if part is None:
            break
        total += int(Decimal(part.group(1)) * _UNITS[part.group(2)])
        position = part.end()
    if text == "0":
        return 0
    if not text or position < len(text) or total >= _LARGEST_DURATION:
        raise InvalidValueError(
            f'"{text}" is not a duration', expected="a number with a unit, like 30s or 1m30s"
        )
    return total


def parse_seconds(text: str) -> float:
    """Return a duration in seconds."""
    return parse_duration(text) / NANOSECONDS


def parse_size(text: str) -> int:
    """Return a size such as ``512m``, ``1.5gb`` or ``1024`` in bytes (units are powers of 1024).

    ``-1`` is returned as it is: it means "without bound" where a bound is optional.
    """
    if text == "-1":
        return -1
    size = _SIZE.fullmatch(text.strip())
    if size is None:
        raise InvalidValueError(
            f'"{text}" is not a size', expected="a number of bytes, or one with b, k, m or g"
        )
    return int(Decimal(size.group(1)) * 1024 ** _POWERS[size.group(2).lower()])
