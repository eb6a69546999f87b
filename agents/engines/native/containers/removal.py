"""Removes containers: by a person's wish, or by themselves when they have ended."""

import logging
from contextlib import suppress

import msgspec

from agents.engines.event_ring import EventRing
from agents.engines.native.containers.container import ENDED, Container
from agents.engines.native.containers.creation import Creator
from agents.engines.native.containers.health import HealthMonitor
from agents.engines.native.containers.lifecycle import Lifecycle
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.containers.supervisor import Supervisor
from agents.errors import AgentError, ConflictError, NotFoundError

logger = logging.getLogger(__name__)


class Removal:
    """Takes a container down for good, with its records."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        creator: Creator,
        health: HealthMonitor,
        supervisor: Supervisor,
        events: EventRing,
    ) -> None:
        self._lifecycle = lifecycle
        self._creator = creator
        self._health = health
        self._supervisor = supervisor
        self._events = events

    def remove(self, container: Container, *, force: bool) -> None:
        """Remove a container; see ``Engine.remove_container``. The caller holds no lock.

        One that cannot be removed is "dead" from then on, and says why; removing it again
        tries again.
        """
        while True:
            self._bring_to_end(container, force=force)
            with container.lock:
                if container.removed:
                    return
                if _is_active(container):
                    # Somebody has started it again meanwhile.
                    continue
                self._remove_ended(container)
                break
        self._events.container(container.record, "destroy")

    def _remove_ended(self, container: Container) -> None:
        try:
            self._lifecycle.release(container)
            self._creator.remove(container)
        except AgentError as error:
            self._give_up(container, error)
            raise
        self._health.forget(container.id)

    def after_end(self, container: Container) -> None:
        """Remove a container that has ended, if it was made so; returns at once."""
        spec, status = container.manifest.spec, container.status
        if spec.auto_remove and status.started_at is not None:
            self._supervisor.soon(lambda: self._remove_itself(container))

    def sweep(self, store: ContainerStore) -> None:
        """Remove those that ended while nobody was there to remove them; returns at once."""
        for container in store.list():
            if container.status.state in ENDED:
                self.after_end(container)

    def _remove_itself(self, container: Container) -> None:
        with container.lock:
            if container.status.state not in ENDED:
                # Started again meanwhile.
                return
            try:
                self.remove(container, force=False)
            except AgentError as error:
                logger.warning("container %s does not go: %s", container.id, error.message)

    def _bring_to_end(self, container: Container, *, force: bool) -> None:
        with container.lock:
            active = _is_active(container) and not container.removed
            if active and not force:
                raise ConflictError(
                    f"the container {container.manifest.name} runs",
                    hint="Stop it first, or remove it by force.",
                )
        if active:
            with suppress(NotFoundError):
                self._lifecycle.stop(container, 0.0)

    def _give_up(self, container: Container, error: AgentError) -> None:
        status = msgspec.structs.replace(container.status, state="dead", error=error.message)
        container.update(status)


def _is_active(container: Container) -> bool:
    return container.is_alive() or container.status.state == "restarting"
