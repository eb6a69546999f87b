"""The state of a project, from what is observed."""

import pytest

from apps.projects.state import Observed, derive_state

WEB = Observed(service="web", state="running")
CLOCK = Observed(service="clock", state="running")
STOPPED = Observed(service="clock", state="exited", exit_code=143)
BROKEN = Observed(service="clock", state="exited", exit_code=1)
TRAPPED = Observed(service="clock", state="exited", exit_code=4, stopped=True)
DONE = Observed(service="clock", state="exited", exit_code=0)
UNWELL = Observed(service="clock", state="running", health="unhealthy")


def derive(*containers, **changes):
    facts = {
        "deployed": True,
        "host_online": True,
        "services": ("web", "clock"),
        "containers": containers,
    }
    return derive_state(**{**facts, **changes})


@pytest.mark.parametrize(
    ("containers", "name"),
    [
        ((WEB, CLOCK), "running"),
        ((WEB, DONE), "running"),
        ((WEB,), "partly"),
        ((WEB, STOPPED), "partly"),
        ((WEB, BROKEN), "partly"),
        ((WEB, UNWELL), "partly"),
        ((BROKEN,), "failed"),
        ((STOPPED,), "stopped"),
        ((TRAPPED,), "stopped"),
        ((TRAPPED, BROKEN), "failed"),
        ((), "stopped"),
        ((Observed(service="web", state="restarting"),), "failed"),
        ((Observed(service="web", state="exited", exit_code=137, oom_killed=True),), "failed"),
    ],
)
def test_the_state_follows_from_the_containers(containers, name):
    assert derive(*containers).name == name


def test_a_project_of_a_host_that_is_away_is_unknown():
    assert derive(WEB, CLOCK, host_online=False).name == "unknown"


def test_a_running_operation_names_itself():
    state = derive(WEB, CLOCK, active_verb="deploy")
    assert (state.name, state.shown.label) == ("working", "Deploying")


def test_a_new_project_is_not_deployed():
    assert derive(deployed=False).name == "not_deployed"


def test_a_first_deploy_that_failed_is_failed():
    assert derive(deployed=False, last_deploy_failed=True).name == "failed"


def test_the_numbers_count_services():
    state = derive(WEB, STOPPED)
    assert (state.working, state.services) == (1, 2)
