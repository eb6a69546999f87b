"""What state a project is in: worked out from what is observed, never stored.

``not_deployed``  nothing was ever applied
``working``       an operation on it is under way
``unknown``       its host is away; what is shown is what was last seen
``failed``        nothing works, and something ended with an error
``stopped``       nothing runs, as was asked
``partly``        some of its services work
``running``       every service works (a one-off job that ended well counts)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from apps.services.choices import STOPPED_CODES, Shown

StateName = Literal["not_deployed", "working", "unknown", "failed", "stopped", "partly", "running"]

_SHOWN: dict[StateName, Shown] = {
    "not_deployed": Shown(label="Not deployed", tone="neutral"),
    "working": Shown(label="Working", tone="busy"),
    "unknown": Shown(label="Host offline", tone="warning"),
    "failed": Shown(label="Failed", tone="danger"),
    "stopped": Shown(label="Stopped", tone="neutral"),
    "partly": Shown(label="Partly running", tone="warning"),
    "running": Shown(label="Running", tone="success"),
}
_WORKING = {
    "deploy": "Deploying",
    "start": "Starting",
    "stop": "Stopping",
    "restart": "Restarting",
    "remove": "Removing",
}
# Attention first.
URGENCY: dict[StateName, int] = {
    "failed": 0,
    "partly": 1,
    "unknown": 2,
    "working": 3,
    "not_deployed": 4,
    "stopped": 5,
    "running": 6,
}


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What matters of one container here."""

    service: str
    state: str
    exit_code: int | None = None
    health: str = ""
    oom_killed: bool = False
    stopped: bool = False

    @property
    def works(self) -> bool:
        """It runs and is not unwell."""
        return self.state == "running" and self.health != "unhealthy"

    @property
    def failed(self) -> bool:
        """It ended, or keeps ending, with an error."""
        if self.state in ("dead", "restarting") or self.oom_killed:
            return True
        unwell = self.state == "running" and self.health == "unhealthy"
        ended_so = self.stopped or self.exit_code in STOPPED_CODES
        return unwell or (self.state == "exited" and not ended_so)

    @property
    def done(self) -> bool:
        """It was a job, and ended well."""
        return self.state == "exited" and self.exit_code == 0


@dataclass(frozen=True, kw_only=True)
class ProjectState:
    """A project's state with the numbers behind it."""

    name: StateName
    shown: Shown
    working: int
    services: int


def derive_state(
    *,
    deployed: bool,
    host_online: bool,
    services: Sequence[str],
    containers: Sequence[Observed],
    active_verb: str = "",
    last_deploy_failed: bool = False,
) -> ProjectState:
    """Work out the state; ``services`` are those of the last applied revision."""
    expected = set(services) or {container.service for container in containers}
    up = {container.service for container in containers if container.works}
    name = _name(
        deployed=deployed or bool(containers),
        host_online=host_online,
        expected=expected,
        containers=containers,
        active=bool(active_verb),
        last_deploy_failed=last_deploy_failed,
    )
    shown = _SHOWN[name]
    if name == "working":
        shown = Shown(label=_WORKING.get(active_verb, "Working"), tone="busy")
    return ProjectState(name=name, shown=shown, working=len(up & expected), services=len(expected))


def _name(
    *,
    deployed: bool,
    host_online: bool,
    expected: set[str],
    containers: Sequence[Observed],
    active: bool,
    last_deploy_failed: bool,
) -> StateName:
    if not host_online and (deployed or active):
        return "unknown"
    if active:
        return "working"
    if not deployed:
        return "failed" if last_deploy_failed else "not_deployed"
    return _running_name(expected, containers, last_deploy_failed)


def _running_name(
    expected: set[str], containers: Sequence[Observed], last_deploy_failed: bool
) -> StateName:
    works = {container.service for container in containers if container.works}
    failed = {container.service for container in containers if container.failed}
    done = {container.service for container in containers if container.done}
    if not works:
        return "failed" if failed or (last_deploy_failed and not containers) else "stopped"
    if failed or expected - works - done:
        return "partly"
    return "running"
