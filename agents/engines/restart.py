"""When a container that ended is started again: the same for every engine. Pure."""

from agents.engines.specs import RestartPolicy

FIRST_DELAY = 0.1
LONGEST_DELAY = 60.0
STEADY_AFTER = 10.0


def should_restart(
    policy: RestartPolicy, *, exit_code: int, restart_count: int, stop_requested: bool
) -> bool:
    """Return whether a container that ended is to be started again.

    ``restart_count`` is how often its policy did so since a person started it.
    """
    if stop_requested or policy.name == "no":
        return False
    if policy.name == "on-failure":
        bound = policy.maximum_retries
        return exit_code != 0 and (bound == 0 or restart_count < bound)
    return True


def delay(failures: int) -> float:
    """Return the seconds to wait before a restart after ``failures`` quick ends before it.

    >>> [delay(n) for n in (0, 1, 2, 50)]
    [0.1, 0.2, 0.4, 60.0]
    """
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures, 30))


def should_run_at_start(policy: RestartPolicy, *, stop_requested: bool) -> bool:
    """Return whether a container that ran when the machine went down is started again."""
    return policy.name in ("always", "unless-stopped") and not stop_requested
