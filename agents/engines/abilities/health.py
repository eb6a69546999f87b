"""Whether containers are well, with the last answers of their health checks."""

from typing import Protocol, runtime_checkable

from agents.protocol.records import HealthRecord


@runtime_checkable
class ChecksHealth(Protocol):
    """An engine that runs the health checks of its containers.

    The state is also in :attr:`ContainerRecord.health`, and each change of it is an event.
    Checks run while the container runs, not while it is paused; their failures in the start
    period do not count. They go on over a restart of the agent.
    """

    def find_health(self, container_id: str) -> HealthRecord:
        """Return the health of a container with its last results.

        Raises:
            NotFoundError: there is no such container.
        """
        ...
