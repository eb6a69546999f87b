"""What an engine said that it did before it was killed, and what must be so afterwards."""

import json
import os
from dataclasses import dataclass, field

ANY, GONE, THERE, RUNNING, STOPPED = "any", "gone", "there", "running", "stopped"


@dataclass
class Tale:
    """What is expected of each thing, by its kind and name, such as ``c:web``.

    ``pids`` are the first processes of running containers. A thing that is not named at all
    must not be there.
    """

    expected: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)

    def hear(self, line: str) -> None:
        """Take in one line that a :class:`Teller` wrote."""
        told = json.loads(line)
        if told.get("reset"):
            self.expected.clear()
            self.pids.clear()
        for name, state in told.get("expect", {}).items():
            self.expected[name] = state
            self.pids.pop(name, None)
        self.pids.update(told.get("pids", {}))

    def names(self, kind: str) -> dict[str, str]:
        """Return what is expected of the things of one kind, by name."""
        start = f"{kind}:"
        return {
            name.removeprefix(start): state
            for name, state in self.expected.items()
            if name.startswith(start)
        }


class Teller:
    """Writes lines for a :class:`Tale` to a pipe; what was written outlives the process."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def tell(self, **what: object) -> None:
        os.write(self.fd, json.dumps(what).encode() + b"\n")

    def touching(self, *names: str) -> None:
        """Say that anything may become of these from now on."""
        self.tell(expect=dict.fromkeys(names, ANY))
