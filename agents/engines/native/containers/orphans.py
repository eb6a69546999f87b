"""Which programs an earlier agent has left, that nobody waits for any more.

A SIGKILL of the agent does not reach what it had started: conmon with the runtime that makes
a container, a build's runtime, mount(8). Were they to go on while the next agent takes up,
they would make again what it has just removed.
"""

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from agents.linux.orphans import Arguments

_ID = re.compile(rb"[0-9a-f]{64}")
# Below the root: where nothing goes on without us.
_OURS_ALONE = ("images/drafts", "volumes")


@dataclass(frozen=True)
class Leftovers:
    """Knows the programs of one engine by its folders in their arguments.

    Those of the containers ``alive`` are not meant.
    """

    root: Path
    run: Path
    alive: Collection[str]

    def __call__(self, arguments: Arguments) -> bool:
        """Return whether a program with these arguments is to be ended."""
        text = b"\0".join(arguments)
        if any(os.fsencode(self.root / part) + b"/" in text for part in _OURS_ALONE):
            return True
        if os.fsencode(self.run) + b"/" not in text:
            return False
        ids = {found.decode() for found in _ID.findall(text)}
        return bool(ids) and ids.isdisjoint(self.alive)
