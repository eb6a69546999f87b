"""Containers held still, and let go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from agents.engines.event_ring import EventRing
from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.container import Container
from agents.errors import ConflictError, NotFoundError
from agents.protocol.records import ContainerState


@dataclass(frozen=True, kw_only=True)
class Pauser:
    """Freezes containers; the kernel keeps them so while no agent is there."""

    cgroups: ContainerCgroups
    events: EventRing

    def pause(self, container: Container) -> None:
        """Hold a running container still. See ``Pauses.pause_container``."""
        with container.lock:
            _check_running(container)
            if container.status.state != "paused":
                self.cgroups.freeze(container.id)
                self._note(container, "paused", "pause")

    def unpause(self, container: Container) -> None:
        """Let a paused container go on. See ``Pauses.unpause_container``."""
        with container.lock:
            _check_running(container)
            self.cgroups.thaw(container.id)
            if container.status.state == "paused":
                self._note(container, "running", "unpause")

    @contextmanager
    def held_still(self, container: Container) -> Iterator[None]:
        """Hold a container still for an act of ours; nobody is told, and it counts as running.

        So it goes on at the next start, should we end within the block.
        """
        with container.lock:
            held = container.status.state == "running"
            if held:
                self.cgroups.freeze(container.id)
        try:
            yield
        finally:
            with container.lock:
                if held and container.status.state != "paused":
                    self.cgroups.thaw(container.id)

    def _note(self, container: Container, state: ContainerState, event: str) -> None:
        container.update(msgspec.structs.replace(container.status, state=state))
        self.events.container(container.record, event)


def _check_running(container: Container) -> None:
    name = container.manifest.name
    if container.removed:
        raise NotFoundError(f"the container {name} was removed")
    if container.status.state not in ("running", "paused"):
        raise ConflictError(f"the container {name} does not run")
