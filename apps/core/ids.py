"""Names for rows that people, addresses and hosts may see."""

import uuid


def new_uid() -> str:
    """Return 32 random lower-case hexadecimal digits."""
    return uuid.uuid4().hex
