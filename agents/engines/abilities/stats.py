"""Engines that tell what containers use."""

from typing import Protocol, runtime_checkable

from agents.protocol.stats import StatsRecord


@runtime_checkable
class ReadsStats(Protocol):
    """An engine that reads the kernel's counters of its containers."""

    def read_stats(self, container_id: str) -> StatsRecord:
        """Return what one container uses now. Raises ``ConflictError`` if it does not run."""
        ...

    def read_all_stats(self) -> tuple[StatsRecord, ...]:
        """Return what each running (or paused) container uses now, oldest first.

        Those that end meanwhile are left out.
        """
        ...
