"""How a container's state is shown."""

import pytest

from apps.services.choices import show_state


@pytest.mark.parametrize(
    ("end", "tone"),
    [
        ({"exit_code": 0}, "neutral"),
        ({"exit_code": 143}, "neutral"),
        ({"exit_code": 4}, "danger"),
        ({"exit_code": 4, "stopped": True}, "neutral"),
        ({"exit_code": 137, "stopped": True, "oom_killed": True}, "danger"),
    ],
)
def test_only_an_end_that_nobody_asked_for_is_a_failure(end, tone):
    assert show_state("exited", **end).tone == tone
