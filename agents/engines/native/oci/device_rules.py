"""Rules of the devices cgroup as people write them: ``c 13:* rwm``."""

import re

from agents.engines.native.oci.types import DeviceRule
from agents.errors import InvalidInputError

_RULE = re.compile(r"([acb]) (\*|\d+):(\*|\d+) ([rwm]{1,3})")


def parse_rule(text: str) -> DeviceRule:
    """Return the rule that lets a container use devices. Raises ``InvalidInputError``.

    >>> parse_rule("c 13:* rw").major
    13
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise InvalidInputError(
            f"{text!r} is no rule for devices",
            hint="Write a, b or c, two numbers or *, and some of rwm: c 13:* rwm",
            field="device_cgroup_rules",
        )
    kind, major, minor, access = found.groups()
    return DeviceRule(
        allow=True, type=kind, major=_number(major), minor=_number(minor), access=access
    )


def _number(text: str) -> int | None:
    return None if text == "*" else int(text)
