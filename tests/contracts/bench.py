"""What the contract suite works with: an engine, and short words for what tests do with it.

Programs are written for ``sh -c``, in the part of its language that the fake engine knows
too: echo (also ``>&2``), sleep, exit, wait, trap on TERM, joined by ``;``.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agents.engines.base import Capability, ContainerEvent, Engine
from agents.engines.specs import ContainerSpec
from agents.protocol.records import ContainerRecord, LogLine
from tests.waiting import wait_until

FOREVER = "sleep 1000 & wait"
OBEDIENT = f"trap 'exit 0' TERM; {FOREVER}"


@dataclass
class Bench:
    """An engine under test. ``events`` are all that its listeners were told, in order."""

    engine: Engine
    archive: Path
    image: str = "busybox"
    events: list[ContainerEvent] = field(default_factory=list)

    def need(self, capability: Capability) -> None:
        """Skip the test if the engine says that it cannot do this."""
        if capability not in self.engine.describe().capabilities:
            pytest.skip(f"the {self.engine.name} engine is not capable of {capability}")

    def spec(self, script: str = OBEDIENT, **fields: Any) -> ContainerSpec:
        given = {"name": unique("c"), "image": self.image, "stop_grace": 5.0, **fields}
        return ContainerSpec(command=("sh", "-c", script), **given)

    def create(self, script: str = OBEDIENT, **fields: Any) -> ContainerRecord:
        return self.engine.create_container(self.spec(script, **fields))

    def run(self, script: str = OBEDIENT, **fields: Any) -> ContainerRecord:
        """Create and start a container."""
        return self.engine.start_container(self.create(script, **fields).id)

    def run_to_end(self, script: str, **fields: Any) -> ContainerRecord:
        """Create and start a container, and return how it ended."""
        container = self.run(script, **fields)
        self.engine.wait_container(container.id, timeout=20.0)
        return self.engine.find_container(container.id)

    def lines(self, container_id: str, **options: Any) -> list[str]:
        return [line.text for line in self.log(container_id, **options)]

    def log(self, container_id: str, **options: Any) -> tuple[LogLine, ...]:
        return self.engine.read_logs(container_id, **options)

    def wait_for_line(self, container_id: str, text: str) -> None:
        def is_there() -> bool:
            return text in self.lines(container_id, limit=10_000)

        wait_until(is_there, f"the line {text!r}")

    def wait_for_state(self, container_id: str, state: str) -> None:
        def is_reached() -> bool:
            return self.engine.find_container(container_id).state == state

        wait_until(is_reached, f"the state {state}")

    def states(self, container_id: str) -> list[str]:
        """The states that listeners were told of a container; "gone" at its removal."""
        return list(self._states(container_id))

    def _states(self, container_id: str) -> Iterator[str]:
        for event in self.events:
            if event.container_id == container_id:
                yield "gone" if event.container is None else event.container.state


def unique(prefix: str) -> str:
    """Return a name that nothing else has."""
    return f"{prefix}{secrets.token_hex(5)}"
