"""Restart policies."""

import pytest

from agents.engines.restart import delay, should_restart, should_run_at_start
from agents.engines.specs import RestartPolicy


@pytest.mark.parametrize(
    ("name", "retries", "exit_code", "count", "expected"),
    [
        ("no", 0, 1, 0, False),
        ("always", 0, 0, 100, True),
        ("unless-stopped", 0, 1, 100, True),
        ("on-failure", 0, 0, 0, False),
        ("on-failure", 0, 1, 100, True),
        ("on-failure", 3, 1, 2, True),
        ("on-failure", 3, 1, 3, False),
    ],
)
def test_a_policy_decides_on_an_end(
    name: str, retries: int, exit_code: int, count: int, expected: bool
) -> None:
    policy = RestartPolicy(name=name, maximum_retries=retries)
    given = {"exit_code": exit_code, "restart_count": count}
    assert should_restart(policy, stop_requested=False, **given) is expected
    assert not should_restart(policy, stop_requested=True, **given)


def test_each_wait_is_twice_the_one_before_up_to_a_minute() -> None:
    waits = [delay(failures) for failures in range(12)]
    assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
    assert waits[-1] == 60.0
    assert delay(10**9) == 60.0


@pytest.mark.parametrize("name", ["no", "on-failure", "always", "unless-stopped"])
def test_after_a_start_of_the_machine_only_steady_services_run(name: str) -> None:
    policy = RestartPolicy(name=name)
    assert should_run_at_start(policy, stop_requested=False) is (
        name in ("always", "unless-stopped")
    )
    assert not should_run_at_start(policy, stop_requested=True)
