"""What a service waits for before it starts: its ``depends_on``."""

import time
from collections.abc import Callable

from agents.compose.model import Dependency, Service
from agents.engines.abilities.health import ChecksHealth
from agents.engines.base import Engine
from agents.errors import ConflictError, NotFoundError, TimedOutError
from agents.projects.progress import Progress
from agents.protocol.records import ContainerRecord, HealthResult

POLL_SECONDS = 0.2
MAX_WAIT_SECONDS = 600.0
OUTPUT_SHOWN = 500

FindContainers = Callable[[str], tuple[str, ...]]


class Conditions:
    """Waits for the conditions of services. ``find`` returns a service's container ids."""

    def __init__(self, engine: Engine, find: FindContainers, progress: Progress) -> None:
        self._engine = engine
        self._find = find
        self._progress = progress

    def wait(self, service: Service) -> None:
        """Block until the service may start.

        Raises:
            ConflictError: what it needs has failed.
            TimedOutError: it took more than ten minutes.
            CancelledError: nobody wants it any more.
        """
        for need in service.depends_on:
            try:
                self._wait_for(service, need)
            except (ConflictError, NotFoundError) as error:
                if need.required:
                    raise
                self._progress.step(f"{error.message}; going on", service=service.name)

    def _wait_for(self, service: Service, need: Dependency) -> None:
        if need.condition == "service_completed_successfully":
            for container_id in self._find(need.service):
                self._wait_completed(service, need, container_id)
        elif need.condition == "service_healthy":
            for container_id in self._find(need.service):
                self._wait_healthy(service, need, container_id)

    def _wait_completed(self, service: Service, need: Dependency, container_id: str) -> None:
        text = f"Wait until {need.service} has completed"
        self._progress.step(text, service=service.name)
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while True:
            self._progress.check()
            try:
                code = self._engine.wait_container(container_id, timeout=POLL_SECONDS)
                break
            except TimedOutError:
                _check_deadline(deadline, service, need)
        if code != 0:
            raise ConflictError(
                f"service {need.service} ended with exit code {code},"
                f" and {service.name} waits for its success"
            )

    def _wait_healthy(self, service: Service, need: Dependency, container_id: str) -> None:
        """Wait for a good health."""
        self._progress.step(f"Wait until {need.service} is healthy", service=service.name)
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while True:
            self._progress.check()
            record = self._engine.find_container(container_id)
            if record.health == "healthy":
                return
            if record.health == "unhealthy":
                raise self._unhealthy(service, need, container_id)
            _check_may_become_healthy(service, need, record)
            self._pause(container_id)
            _check_deadline(deadline, service, need)

    def _unhealthy(self, service: Service, need: Dependency, container_id: str) -> ConflictError:
        """Return the error, with what the last failed check said."""
        text = f"service {need.service} is unhealthy, and {service.name} waits for its health"
        if isinstance(self._engine, ChecksHealth):
            results = self._engine.find_health(container_id).results
            text += next((_said(one) for one in reversed(results) if one.exit_code), "")
        return ConflictError(
            text, hint=f"See the log of {need.service}, or give it a longer start_period."
        )

    def _pause(self, container_id: str) -> None:
        """Wait a moment, or until the container ends."""
        try:
            self._engine.wait_container(container_id, timeout=POLL_SECONDS)
        except TimedOutError:
            return


def _said(failed: HealthResult) -> str:
    output = failed.output.strip()[-OUTPUT_SHOWN:] or "nothing"
    return f"; its check ended with exit code {failed.exit_code} and said: {output}"


def _check_may_become_healthy(service: Service, need: Dependency, record: ContainerRecord) -> None:
    """Raise ``ConflictError`` for a container whose health nobody will ever ask for."""
    if record.state in ("exited", "dead"):
        raise ConflictError(
            f"service {need.service} ended with exit code {record.exit_code} before it was"
            f" healthy, and {service.name} waits for its health",
            hint=f"See the log of {need.service}.",
        )
    if record.state == "running" and not record.health:
        raise ConflictError(
            f"service {need.service} has no health check, and {service.name} waits for its health",
            hint=f"Give {need.service} a healthcheck, or wait for service_started.",
        )


def _check_deadline(deadline: float, service: Service, need: Dependency) -> None:
    if time.monotonic() >= deadline:
        raise TimedOutError(
            f"{service.name} waited ten minutes for {need.service}: {need.condition}"
        )
