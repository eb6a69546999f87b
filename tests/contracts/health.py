"""Contract: containers are asked whether they are well."""

import pytest

from agents.engines.abilities.events import TellsEvents
from agents.engines.abilities.health import ChecksHealth
from agents.engines.specs import HealthcheckSpec, RestartPolicy
from agents.errors import InvalidInputError
from agents.protocol.records import HealthRecord
from tests.contracts.bench import OBEDIENT, Bench
from tests.waiting import wait_until


def check(line: str, **fields: float | int) -> HealthcheckSpec:
    """A quick check by the shell."""
    given = {"interval": 0.1, "timeout": 5.0, "retries": 2, **fields}
    return HealthcheckSpec(test=("CMD-SHELL", line), **given)  # type: ignore[arg-type]


class Ward:
    """An engine that checks containers."""

    def __init__(self, bench: Bench, engine: ChecksHealth) -> None:
        self.bench = bench
        self.engine = engine

    def run(self, healthcheck: HealthcheckSpec, script: str = OBEDIENT) -> str:
        return self.bench.run(script, healthcheck=healthcheck).id

    def state(self, container_id: str) -> str:
        return self.bench.engine.find_container(container_id).health

    def find(self, container_id: str) -> HealthRecord:
        return self.engine.find_health(container_id)

    def wait_for(self, container_id: str, state: str) -> HealthRecord:
        wait_until(lambda: self.state(container_id) == state, f"the health {state}")
        return self.find(container_id)

    def wait_for_results(self, container_id: str, count: int) -> HealthRecord:
        def are_there() -> bool:
            return len(self.find(container_id).results) >= count

        wait_until(are_there, f"{count} results")
        return self.find(container_id)


class HealthContract:
    @pytest.fixture
    def ward(self, bench: Bench) -> Ward:
        if not isinstance(bench.engine, ChecksHealth):
            pytest.skip(f"the {bench.engine.name} engine checks no health")
        return Ward(bench, bench.engine)

    def test_a_container_is_starting_and_then_healthy(self, ward: Ward) -> None:
        container_id = ward.run(check("echo fine"))
        assert ward.state(container_id) in ("starting", "healthy")
        record = ward.wait_for(container_id, "healthy")
        assert (record.state, record.failures) == ("healthy", 0)
        result = record.results[0]
        assert (result.exit_code, result.output) == (0, "fine\n")
        assert 0 < result.started_at <= result.finished_at
        assert "starting" in [
            one.container.health for one in ward.bench.events if one.container is not None
        ]

    def test_failures_in_a_row_make_it_unhealthy(self, ward: Ward) -> None:
        record = ward.wait_for(ward.run(check("echo no >&2; exit 7", retries=3)), "unhealthy")
        assert record.failures >= 3
        assert [(one.exit_code, one.output) for one in record.results[:3]] == [(7, "no\n")] * 3

    def test_it_recovers(self, ward: Ward) -> None:
        container_id = ward.run(check("test -e /ready"), f"sleep 1; touch /ready; {OBEDIENT}")
        ward.wait_for(container_id, "unhealthy")
        assert ward.wait_for(container_id, "healthy").failures == 0

    def test_failures_in_the_start_period_do_not_count(self, ward: Ward) -> None:
        asked = check("test -e /ready", retries=1, start_period=60.0, start_interval=0.05)
        container_id = ward.run(asked, f"sleep 1; touch /ready; {OBEDIENT}")
        record = ward.wait_for_results(container_id, 3)
        assert (record.state, record.failures) == ("starting", 0)
        ward.wait_for(container_id, "healthy")
        assert "unhealthy" not in [
            one.container.health for one in ward.bench.events if one.container is not None
        ]

    def test_a_check_is_ended_at_its_timeout(self, ward: Ward) -> None:
        asked = check("echo begun; sleep 1000 & sleep 1000", timeout=0.3, retries=1)
        container_id = ward.run(asked)
        result = ward.wait_for(container_id, "unhealthy").results[0]
        assert result.exit_code == -1
        assert result.finished_at - result.started_at < 5
        assert "0.3 s" in result.output
        assert "begun" in result.output

    def test_five_results_are_kept_with_4_kb_of_output_each(self, ward: Ward) -> None:
        line = "i=0; while [ $i -lt 2000 ]; do echo 0123456789 0123456789 0123456789 0123456789; "
        container_id = ward.run(check(f"{line} i=$((i+1)); done", interval=0.02))
        ward.wait_for_results(container_id, 5)
        first = ward.find(container_id).results[0].started_at

        def moved_on() -> bool:
            return ward.find(container_id).results[0].started_at > first

        wait_until(moved_on, "the oldest result to go")
        results = ward.find(container_id).results
        assert [len(one.output) for one in results] == [4096] * 5

    def test_a_program_that_is_not_there_is_a_failure(self, ward: Ward) -> None:
        asked = HealthcheckSpec(test=("CMD", "nothere"), interval=0.1, retries=1)
        result = ward.wait_for(ward.run(asked), "unhealthy").results[0]
        assert result.exit_code != 0
        assert "nothere" in result.output

    def test_a_check_has_the_containers_user_and_environment(self, ward: Ward) -> None:
        made = ward.bench.run(
            OBEDIENT,
            user="33",
            working_dir="/tmp",
            environment={"WORD": "hello"},
            healthcheck=check("echo $(id -u) $WORD $PWD"),
        )
        result = ward.wait_for(made.id, "healthy").results[0]
        assert result.output == "33 hello /tmp\n"

    def test_none_means_no_check(self, ward: Ward) -> None:
        container_id = ward.run(HealthcheckSpec(test=("NONE",)))
        assert (ward.state(container_id), ward.find(container_id)) == ("", HealthRecord())

    @pytest.mark.parametrize("test", [("curl", "x"), ("CMD",), ("CMD-SHELL", "a", "b")])
    def test_a_test_that_is_none_is_refused(self, ward: Ward, test: tuple[str, ...]) -> None:
        with pytest.raises(InvalidInputError, match="health check"):
            ward.bench.create(healthcheck=HealthcheckSpec(test=test))

    def test_checks_stop_with_the_container(self, ward: Ward) -> None:
        container_id = ward.run(check("exit 0"))
        ward.wait_for(container_id, "healthy")
        ward.bench.engine.stop_container(container_id)
        assert ward.state(container_id) == ""
        count = len(ward.find(container_id).results)
        assert count > 0

    def test_a_restart_begins_anew(self, ward: Ward) -> None:
        policy = RestartPolicy(name="always")
        made = ward.bench.run(
            f"sleep 1; echo up; {OBEDIENT}", healthcheck=check("exit 1"), restart=policy
        )
        ward.wait_for(made.id, "unhealthy")
        ward.bench.engine.restart_container(made.id, grace=0.0)
        record = ward.bench.engine.find_container(made.id)
        assert (record.state, record.health) == ("running", "starting")
        ward.wait_for(made.id, "unhealthy")

    def test_changes_of_health_are_told(self, ward: Ward) -> None:
        engine = ward.bench.engine
        if not isinstance(engine, TellsEvents):
            pytest.skip(f"the {engine.name} engine tells no events")
        start = engine.last_event()
        container_id = ward.run(check("exit 0"))
        ward.wait_for(container_id, "healthy")
        ward.wait_for_results(container_id, 3)
        told = [one for one in engine.events_since(start) if one.action == "health_status"]
        assert [one.attributes["health"] for one in told] == ["healthy"]
