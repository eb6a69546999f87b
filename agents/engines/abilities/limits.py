"""Engines that hold containers still, and change their limits while they run."""

from typing import Protocol, runtime_checkable

from agents.engines.specs import UpdateSpec
from agents.protocol.records import ContainerRecord


@runtime_checkable
class Pauses(Protocol):
    """An engine that holds containers still without their noticing."""

    def pause_container(self, container_id: str) -> ContainerRecord:
        """Hold all its processes still; a paused one is left alone. Its state is ``paused``.

        Nothing can be executed in it then. A stop, SIGKILL or its own stop signal let it go
        on to its end; other signals wait until it goes on. Raises ``ConflictError`` if it
        does not run, ``TimedOutError`` if a process does not come to a halt.
        """
        ...

    def unpause_container(self, container_id: str) -> ContainerRecord:
        """Let it go on; one that runs is left alone. Raises ``ConflictError`` if it has ended."""
        ...


@runtime_checkable
class Updates(Protocol):
    """An engine that changes containers while they are there."""

    def update_container(self, container_id: str, change: UpdateSpec) -> ContainerRecord:
        """Change limits and restart policy, in force at once if it runs, and for good.

        It is afterwards as if it had been made so. Raises ``InvalidInputError`` for a value
        that makes no sense or that the kernel refuses (a memory limit under what is in use,
        say), ``NotSupportedError`` for what this host cannot limit, ``ConflictError``; each
        names the field, and nothing is changed then.
        """
        ...
