"""One-time secrets of which only a hash is stored."""

import hashlib
import secrets
from typing import NoReturn


class Secret:
    """A text that neither ``str``, ``repr``, logs nor JSON can show; ``reveal`` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def digest(self) -> str:
        """Return the hash under which the token is stored."""
        return token_digest(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def new_token() -> Secret:
    """Return a new token with 256 bits of chance, safe in an address and on a command line.

    Of letters and digits alone: one that began with a dash would be read as an option.
    """
    return Secret(secrets.token_hex(32))


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token as 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()
