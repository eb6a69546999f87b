"""What a plain YAML scalar means: the core schema of YAML 1.2, with octal as people write it.

So ``yes`` and ``on`` are strings, and so is ``22:22``, which YAML 1.1 took for a number.
"""

import re

from agents.compose.errors import InvalidValueError

ScalarValue = str | int | float | bool | None

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_NUMERIC_START = frozenset("0123456789+-.")
_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_BASED = re.compile(r"([-+]?)0(?:x([0-9a-fA-F_]+)|o([0-7_]+)|b([01_]+))")
_OCTAL = re.compile(r"([-+]?)0([0-7_]+)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_NUMBER = 64
_TAGS = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": bool,
}


def resolve_plain(text: str) -> ScalarValue:
    """Return the value of a scalar written without quotes."""
    if text in _NULLS:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text[0] not in _NUMERIC_START or len(text) > _LONGEST_NUMBER:
        return text
    number = _parse_number(text)
    return text if number is None else number


def resolve_tagged(text: str, tag: str) -> ScalarValue:
    """Return the value of a scalar with an explicit tag; raises InvalidValueError."""
    if tag == "tag:yaml.org,2002:str":
        return text
    if tag == "tag:yaml.org,2002:null":
        return None
    wanted = _TAGS.get(tag)
    value = resolve_plain(text) if text else None
    if wanted is None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        raise InvalidValueError(f"The tag {shown} is not supported", code="unsupported")
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise InvalidValueError(f'"{text}" does not fit its tag')
    return value


def format_scalar(value: str | int | float | bool) -> str:
    """Return a value as the text that Compose makes of it: ``true``, ``8``, ``1.5``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def _parse_number(text: str) -> int | float | None:
    if based := _BASED.fullmatch(text):
        return _parse_based(based)
    if octal := _OCTAL.fullmatch(text):
        return _parse_int(octal.group(1) + octal.group(2), 8)
    if _INT.fullmatch(text):
        return _parse_int(text, 10)
    if _FLOAT.fullmatch(text) or _SPECIAL.fullmatch(text):
        return float(
            text.replace("_", "")
            .replace(".i", "i")
            .replace(".I", "I")
            .replace(".n", "n")
            .replace(".N", "N")
        )
    return None


def _parse_based(found: re.Match[str]) -> int | None:
    for group, base in ((2, 16), (3, 8), (4, 2)):
        digits = found.group(group)
        if digits:
            return _parse_int(found.group(1) + digits, base)
    return None


def _parse_int(text: str, base: int) -> int | None:
    digits = text.replace("_", "")
    return int(digits, base) if digits.strip("+-") else None
