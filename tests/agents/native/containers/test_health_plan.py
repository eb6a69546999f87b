"""What is checked, how often, and what an answer makes of a container's health."""

import pytest

from agents.engines.native.containers.health import judge
from agents.engines.native.containers.health_plan import HealthPlan, make_health_plan
from agents.engines.native.images.config import Healthcheck
from agents.engines.specs import HealthcheckSpec
from agents.errors import InvalidInputError
from agents.protocol.records import HealthRecord, HealthResult

IMAGE = Healthcheck(test=("CMD", "wget"), interval=7 * 10**9, retries=9)
PLAN = HealthPlan(argv=("true",), retries=2)


def answer(code: int, at: float = 1.0) -> HealthResult:
    return HealthResult(started_at=at, finished_at=at, exit_code=code)


def test_nothing_said_means_no_check() -> None:
    assert make_health_plan(HealthcheckSpec(), None) is None
    assert make_health_plan(HealthcheckSpec(interval=5.0), None) is None
    assert make_health_plan(HealthcheckSpec(), Healthcheck(test=("NONE",))) is None


def test_what_is_not_given_is_the_usual() -> None:
    plan = make_health_plan(HealthcheckSpec(test=("CMD-SHELL", "a | b")), None)
    assert plan == HealthPlan(
        argv=("/bin/sh", "-c", "a | b"),
        interval=30.0,
        timeout=30.0,
        start_period=0.0,
        start_interval=5.0,
        retries=3,
    )


def test_the_images_check_holds_where_the_spec_says_nothing() -> None:
    plan = make_health_plan(HealthcheckSpec(interval=1.5), IMAGE)
    assert plan == HealthPlan(argv=("wget",), interval=1.5, retries=9)


def test_the_spec_switches_the_images_check_off() -> None:
    assert make_health_plan(HealthcheckSpec(test=("NONE",)), IMAGE) is None


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="negative"):
        make_health_plan(HealthcheckSpec(test=("CMD", "a"), interval=-1.0), None)


@pytest.mark.parametrize(
    ("codes", "state", "failures"),
    [
        ((), "starting", 0),
        ((1,), "starting", 1),
        ((1, 1), "unhealthy", 2),
        ((1, 0), "healthy", 0),
        ((1, 0, 1), "healthy", 1),
        ((0, 1, 1), "unhealthy", 2),
        ((1, 1, 0), "healthy", 0),
        ((-1, 127), "unhealthy", 2),
    ],
)
def test_failures_in_a_row_count(codes: tuple[int, ...], state: str, failures: int) -> None:
    record = HealthRecord(state="starting")
    for code in codes:
        record = judge(record, answer(code), PLAN, starting=False)
    assert (record.state, record.failures) == (state, failures)


def test_the_start_period_forgives_failures_only() -> None:
    record = HealthRecord(state="starting")
    for _ in range(5):
        record = judge(record, answer(1), PLAN, starting=True)
    assert (record.state, record.failures, len(record.results)) == ("starting", 0, 5)
    assert judge(record, answer(0), PLAN, starting=True).state == "healthy"


def test_the_last_five_results_are_kept() -> None:
    record = HealthRecord(state="starting")
    for number in range(8):
        record = judge(record, answer(0, at=float(number)), PLAN, starting=False)
    assert [one.started_at for one in record.results] == [3.0, 4.0, 5.0, 6.0, 7.0]
