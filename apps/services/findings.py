"""What was found in a container, as its pages show it."""

from dataclasses import dataclass
from datetime import datetime

from agents.protocol.control import ContainerFindings
from agents.protocol.kernel import KernelView
from agents.protocol.records import HealthRecord, HealthResult, ProcessRecord
from apps.core.moments import moment
from apps.services.choices import Shown

_HEALTH = {
    "healthy": Shown(label="Healthy", tone="success"),
    "unhealthy": Shown(label="Unhealthy", tone="danger"),
    "starting": Shown(label="Health starting", tone="busy"),
}
# The letters of proc(5).
_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a device",
    "Z": "ended, not collected",
    "T": "stopped",
    "t": "traced",
    "I": "idle",
}
_UNCHECKED = Shown(label="Not checked", tone="neutral")


@dataclass(frozen=True, kw_only=True)
class ProcessRow:
    """One process."""

    record: ProcessRecord
    started_at: datetime
    cpu_time: str
    state: str


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """One run of a health check."""

    result: HealthResult
    started_at: datetime
    took: str

    @property
    def shown(self) -> Shown:
        """How it ended."""
        if self.result.exit_code == 0:
            return Shown(label="Passed", tone="success")
        if self.result.exit_code == -1:
            return Shown(label="Timed out", tone="danger")
        return Shown(label=f"Failed with {self.result.exit_code}", tone="danger")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found, at ``at``; of the rest, what was asked for is there."""

    at: datetime
    processes: tuple[ProcessRow, ...] | None
    health: HealthRecord | None
    checks: tuple[CheckRow, ...]
    kernel: KernelView | None

    @property
    def health_shown(self) -> Shown:
        """Its health with a colour."""
        return _HEALTH.get(self.health.state if self.health else "", _UNCHECKED)


def show_findings(findings: ContainerFindings) -> Found:
    """Return findings as a page shows them; the newest check is first."""
    processes, health = findings.processes, findings.health
    return Found(
        at=moment(findings.at),
        processes=None if processes is None else tuple(_process(one) for one in processes),
        health=health,
        checks=tuple(_check(one) for one in reversed(health.results)) if health else (),
        kernel=findings.kernel,
    )


def _process(record: ProcessRecord) -> ProcessRow:
    return ProcessRow(
        record=record,
        started_at=moment(record.started_at),
        cpu_time=_duration(record.cpu_time),
        state=_STATES.get(record.state, record.state),
    )


def _check(result: HealthResult) -> CheckRow:
    seconds = result.finished_at - result.started_at
    return CheckRow(
        result=result, started_at=moment(result.started_at), took=f"{seconds * 1000:.0f} ms"
    )


def _duration(seconds: float) -> str:
    """Return ``1:02:03.4``, without the hours while there are none."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:.0f}:{minutes:02.0f}:{rest:04.1f}" if hours else f"{minutes:.0f}:{rest:04.1f}"
