"""Engines that show what the kernel holds of a container."""

from typing import Protocol, runtime_checkable

from agents.protocol.kernel import KernelView


@runtime_checkable
class ShowsKernel(Protocol):
    """An engine whose containers are made of this host's namespaces, cgroups and mounts."""

    def view_kernel(self, container_id: str) -> KernelView:
        """Return what the kernel has of a container, and where it differs from the records.

        Read at this moment, in some 20 ms; nothing is changed. Raises ``ConflictError`` if
        the container does not run, as the kernel then has nothing of it.
        """
        ...
