"""One ``make up`` at a time: two would each make secrets that the other does not know."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from setup.places import Places, make_home
from setup.problem import Problem


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Hold the installation's lock. Raises :class:`Problem` if somebody else does."""
    make_home(places)
    with (places.home / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(
                f"Another set-up works on {places.home}.", "Wait until it has ended."
            ) from error
        yield
