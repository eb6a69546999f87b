"""What one may wait for a container to come to."""

from agents.engines.base import WaitFor
from agents.engines.native.containers.container import ENDED, Container
from agents.engines.native.containers.records import Status


def wait(container: Container, until: WaitFor, timeout: float | None) -> int:
    """Block until it has come to it, and return an exit code; see ``Engine.wait_container``."""
    if until == "next-exit":
        ends = container.ends
        container.wait_until(lambda _: container.ends > ends, timeout)
        return container.last_code

    def reached(status: Status) -> bool:
        return container.removed or (until == "not-running" and status.state in ENDED)

    return container.wait_until(reached, timeout).exit_code or 0
