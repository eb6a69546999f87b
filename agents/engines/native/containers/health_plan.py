"""How a container is asked whether it is well: the spec's health check over the image's."""

import msgspec

from agents.engines.native.images.config import Healthcheck
from agents.engines.specs import HealthcheckSpec
from agents.errors import InvalidInputError

# Docker's.
INTERVAL = 30.0
TIMEOUT = 30.0
START_INTERVAL = 5.0
RETRIES = 3

_SHELL = ("/bin/sh", "-c")
_SECOND = 10**9
_FIELD = "healthcheck"


class HealthPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A health check with nothing left open; durations are seconds.

    During ``start_period`` failures do not count, and checks come every ``start_interval``.
    """

    argv: tuple[str, ...]
    interval: float = INTERVAL
    timeout: float = TIMEOUT
    start_period: float = 0.0
    start_interval: float = START_INTERVAL
    retries: int = RETRIES


def make_health_plan(spec: HealthcheckSpec, image: Healthcheck | None) -> HealthPlan | None:
    """Return how a container is checked, None if it is not. Pure.

    Raises:
        InvalidInputError: the spec's test is no test, or a number is negative.
    """
    said = image or Healthcheck()
    _check(spec)
    argv = _argv(spec.test or said.test)
    if argv is None:
        return None
    return HealthPlan(
        argv=argv,
        interval=_seconds(spec.interval, said.interval, INTERVAL),
        timeout=_seconds(spec.timeout, said.timeout, TIMEOUT),
        start_period=_seconds(spec.start_period, said.start_period, 0.0),
        start_interval=_seconds(spec.start_interval, said.start_interval, START_INTERVAL),
        retries=spec.retries or said.retries or RETRIES,
    )


def _check(spec: HealthcheckSpec) -> None:
    if spec.test and spec.test != ("NONE",) and _argv(spec.test) is None:
        raise InvalidInputError(
            f"the health check {list(spec.test)!r} is none",
            hint="Begin it with CMD and a program, with CMD-SHELL and one line, or say NONE.",
            field=_FIELD,
        )
    times = (spec.interval, spec.timeout, spec.start_period, spec.start_interval, spec.retries)
    if any(one is not None and one < 0 for one in times):
        raise InvalidInputError("a health check has a negative number", field=_FIELD)


def _argv(test: tuple[str, ...]) -> tuple[str, ...] | None:
    match test:
        case ("CMD", program, *arguments):
            return (program, *arguments)
        case ("CMD-SHELL", line):
            return (*_SHELL, line)
    return None


def _seconds(asked: float | None, image: int, default: float) -> float:
    """Return the first that is given; 0 counts as not given, as with Docker."""
    return asked or image / _SECOND or default
