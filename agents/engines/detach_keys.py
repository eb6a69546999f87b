"""The keys by which a person leaves a terminal without ending what runs in it."""

from agents.errors import InvalidInputError

_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


def parse(text: str) -> bytes:
    """Return the bytes of a sequence such as ``ctrl-p,ctrl-q`` or ``ctrl-x,x``; "" is none.

    >>> parse("ctrl-p,ctrl-q,z")
    b'\\x10\\x11z'

    Raises:
        InvalidInputError: there is no such key.
    """
    return bytes(_key(one) for one in text.split(",")) if text else b""


def _key(name: str) -> int:
    if len(name) == 1 and name.isascii():
        return ord(name)
    prefix, _, rest = name.partition("-")
    if prefix == "ctrl" and len(rest) == 1 and rest in _CONTROL:
        return _CONTROL.index(rest)
    raise InvalidInputError(
        f"there is no key {name!r}",
        hint="Write keys such as a or ctrl-p, with commas between them.",
        field="detach_keys",
    )


class DetachMatcher:
    """Finds the sequence in what a person types; holds back what may be its beginning."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""
        self.matched = False

    def feed(self, data: bytes) -> bytes:
        """Take typed bytes and return those to pass on; nothing once the sequence came."""
        if not self._keys or self.matched:
            return b"" if self.matched else data
        text = self._held + data
        found = text.find(self._keys)
        if found >= 0:
            self.matched = True
            return text[:found]
        held = self._beginning_at_end(text)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def _beginning_at_end(self, text: bytes) -> int:
        """Return the length of the longest end of ``text`` that begins the sequence."""
        lengths = range(min(len(self._keys) - 1, len(text)), 0, -1)
        return next((n for n in lengths if text.endswith(self._keys[:n])), 0)
