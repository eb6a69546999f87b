"""States of a container with the words and tones that pages show them in."""

from dataclasses import dataclass

from agents.protocol.records import ContainerState
from apps.core.components import Tone


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A state as people see it."""

    label: str
    tone: Tone


_STATES: dict[ContainerState, Shown] = {
    "created": Shown(label="Created", tone="neutral"),
    "starting": Shown(label="Starting", tone="busy"),
    "running": Shown(label="Running", tone="success"),
    "paused": Shown(label="Paused", tone="warning"),
    "restarting": Shown(label="Restarting", tone="warning"),
    "stopping": Shown(label="Stopping", tone="busy"),
    "exited": Shown(label="Exited", tone="neutral"),
    "dead": Shown(label="Dead", tone="danger"),
}

UNKNOWN = Shown(label="Unknown", tone="neutral")
# An end by these is what "stop" looks like, not a failure: 0, SIGINT, SIGKILL, SIGTERM.
STOPPED_CODES = frozenset({None, 0, 130, 137, 143})


def show_state(
    state: str,
    *,
    exit_code: int | None = None,
    health: str = "",
    oom_killed: bool = False,
    stopped: bool = False,
) -> Shown:
    """Return label and tone of a container's state; ``stopped`` means by a person."""
    if oom_killed:
        return Shown(label="Out of memory", tone="danger")
    if state == "exited" and exit_code is not None:
        tone: Tone = "neutral" if stopped or exit_code in STOPPED_CODES else "danger"
        return Shown(label=f"Exited ({exit_code})", tone=tone)
    if state == "running" and health == "unhealthy":
        return Shown(label="Unhealthy", tone="danger")
    if state == "running" and health == "starting":
        return Shown(label="Health starting", tone="busy")
    return next((shown for name, shown in _STATES.items() if name == state), UNKNOWN)
