"""Which kernel this is, where a program of others must be told what it can do."""

import os
import re


def is_at_least(major: int, minor: int) -> bool:
    """Return whether the running kernel is of this version or a later one; see uname(2)."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return found is not None and (int(found[1]), int(found[2])) >= (major, minor)
