"""What an ``up`` and a ``down`` would do, and why."""

import msgspec
import pytest

from agents.compose import Change, Observed, ObservedContainer, Plan, Project, plan, plan_down
from tests.agents.compose.observing import alter, observe
from tests.agents.compose.projects import load_text

TEXT = """
services:
  web:
    image: app
    depends_on: [db]
    environment: {MODE: prod, DB_PASSWORD: one}
    ports: ["8080:80"]
    volumes: [data:/data]
  db: {image: pg, networks: [back]}
  worker: {image: app, scale: 2, depends_on: {db: {condition: service_started, restart: true}}}
networks: {back: }
volumes: {data: }
"""


def kinds(result: Plan) -> dict[str, str]:
    return {action.name: action.kind for action in result.containers}


def reasons(result: Plan, service: str) -> list[Change]:
    return [r for action in result.containers if action.service == service for r in action.reasons]


@pytest.fixture
def project() -> Project:
    return load_text(TEXT)


def test_on_an_empty_host_everything_is_created_in_order(project: Project) -> None:
    result = plan(project, Observed())
    assert [(action.kind, action.name) for action in result.networks] == [
        ("create", "demo_back"),
        ("create", "demo_default"),
    ]
    assert [action.name for action in result.volumes] == ["demo_data"]
    stages = [[action.name for action in stage] for stage in result.stages()]
    assert stages == [["demo-db-1"], ["demo-web-1", "demo-worker-1", "demo-worker-2"]]
    assert set(kinds(result).values()) == {"create"}


def test_what_runs_as_it_should_is_left_alone(project: Project) -> None:
    assert plan(project, observe(project)).changes_nothing


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("MODE: prod", "MODE: dev", Change(field="environment.MODE", before="prod", after="dev")),
        ("MODE: prod, ", "", Change(field="environment.MODE", before="prod", after="")),
        ("PASSWORD: one", "PASSWORD: two",
         Change(field="environment.DB_PASSWORD", before="(hidden)", after="(changed)")),
        ('"8080:80"', '"8081:80/udp"',
         Change(field="ports", before="8080:80/tcp", after="8081:80/udp")),
        ("image: app\n    dep", "command: a 'b c'\n    image: app\n    dep",
         Change(field="command", before="", after="a 'b c'")),
        ("data:/data]", "data:/data:ro]",
         Change(field="volumes./data.read_only", before="", after="true")),
        ("    ports:", "    restart: always\n    ports:",
         Change(field="restart.policy", before="", after="always")),
    ],
)  # fmt: skip
def test_only_what_changed_is_replaced_and_the_field_is_named(
    project: Project, before: str, after: str, change: Change
) -> None:
    assert before in TEXT
    result = plan(load_text(TEXT.replace(before, after)), observe(project))
    assert kinds(result) == {
        "demo-db-1": "leave",
        "demo-web-1": "recreate",
        "demo-worker-1": "leave",
        "demo-worker-2": "leave",
    }
    assert reasons(result, "web") == [change]


def test_an_address_with_a_password_is_not_shown() -> None:
    text = "services: {{a: {{image: x, environment: {{DB: 'pg://u:{}@h/d'}}}}}}"
    before, after = load_text(text.format("one")), load_text(text.format("two"))
    (change,) = reasons(plan(after, observe(before)), "a")
    assert "one" not in change.before + change.after
    assert "two" not in change.before + change.after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("depends_on: [db]", "depends_on: []"),
        ("image: app\n    dep", "image: app\n    pull_policy: always\n    dep"),
        ("image: app\n    dep", "image: app\n    init: false\n    dep"),
        ("{MODE: prod, DB_PASSWORD: one}", "[DB_PASSWORD=one, MODE=prod]"),
        ('["8080:80"]', "[{target: 80, published: 8080}]"),
    ],
)
def test_what_changes_no_container_replaces_none(project: Project, before: str, after: str) -> None:
    assert before in TEXT
    assert plan(load_text(TEXT.replace(before, after)), observe(project)).changes_nothing


def test_another_image_behind_the_same_name_replaces_the_container(project: Project) -> None:
    ids = {"web": "sha256:app", "db": "sha256:newer"}
    result = plan(project, observe(project), build_ids=ids)
    assert kinds(result)["demo-web-1"] == "leave"
    assert reasons(result, "db")[0].field == "image"


def test_a_service_restarts_when_it_asked_to_follow_one_that_is_replaced(project: Project) -> None:
    changed = load_text(TEXT.replace("image: pg,", "image: pg2,"))
    result = plan(changed, observe(project))
    assert kinds(result)["demo-db-1"] == "recreate"
    assert kinds(result)["demo-web-1"] == "leave"
    assert kinds(result)["demo-worker-1"] == "restart"


@pytest.mark.parametrize("state", ["created", "exited"])
def test_what_stopped_is_started(project: Project, state: str) -> None:
    result = plan(project, alter(observe(project), "db", state=state))
    assert kinds(result)["demo-db-1"] == "start"
    assert reasons(result, "db") == [Change(field="state", before=state, after="running")]


def test_fewer_or_more_containers_follow_the_scale(project: Project) -> None:
    less = plan(load_text(TEXT.replace("scale: 2", "scale: 1")), observe(project))
    more = plan(load_text(TEXT.replace("scale: 2", "scale: 3")), observe(project))
    assert kinds(less)["demo-worker-2"] == "remove"
    assert kinds(less)["demo-worker-1"] == "leave"
    assert kinds(more)["demo-worker-3"] == "create"


def test_orphans_are_listed_and_removed_only_when_asked(project: Project) -> None:
    rest = load_text("services: {db: {image: pg, networks: [back]}}\nnetworks: {back: }")
    result = plan(rest, observe(project))
    assert [orphan.service for orphan in result.orphans] == ["web", "worker", "worker"]
    assert kinds(result) == {"demo-db-1": "leave"}
    removing = plan(rest, observe(project), remove_orphans=True)
    assert {action.name for action in removing.stages()[0]} == {
        "demo-web-1",
        "demo-worker-1",
        "demo-worker-2",
    }


def test_chosen_services_bring_what_they_need_and_nothing_else(project: Project) -> None:
    result = plan(project, Observed(), services=["web"])
    assert set(kinds(result)) == {"demo-web-1", "demo-db-1"}


def test_a_forced_service_is_replaced_but_not_what_it_needs(project: Project) -> None:
    result = plan(project, observe(project), services=["web"], force_recreate=True)
    assert kinds(result) == {"demo-db-1": "leave", "demo-web-1": "recreate"}


def test_a_service_that_is_not_there_is_a_problem(project: Project) -> None:
    (problem,) = plan(project, Observed(), services=["nope"]).problems
    assert '"nope"' in problem.message


def test_a_changed_network_is_made_anew_with_the_containers_on_it(project: Project) -> None:
    changed = load_text(TEXT.replace("{back: }", "{back: {internal: true}}"))
    result = plan(changed, observe(project))
    assert [action.kind for action in result.networks] == ["recreate", "leave"]
    assert kinds(result)["demo-db-1"] == "recreate"
    assert reasons(result, "db")[0].field == "networks.back"
    assert kinds(result)["demo-web-1"] == "leave"


@pytest.mark.parametrize("kind", ["network", "volume"])
def test_something_external_that_is_not_there_is_a_problem(kind: str) -> None:
    use = "networks: [it]" if kind == "network" else "volumes: ['it:/x']"
    text = f"services: {{a: {{image: x, {use}}}}}\n{kind}s: {{it: {{external: true, name: real}}}}"
    (problem,) = plan(load_text(text), Observed()).problems
    assert f'The {kind} "real" is not there' in problem.message
    assert problem.path == f"{kind}s.it"


def test_a_container_of_an_older_version_without_a_spec_is_replaced(project: Project) -> None:
    older = alter(observe(project), "db", spec_json="", config_hash="old")
    (change,) = reasons(plan(project, older), "db")
    assert change.field == "configuration"


def test_containers_that_ran_once_and_doubles_are_not_taken_for_the_service(
    project: Project,
) -> None:
    seen = observe(project)
    extra = msgspec.structs.replace(seen.containers[0], id="other", name="other")
    once = ObservedContainer(
        id="run", name="demo-web-run-1", service="web", number=1, state="exited", one_off=True
    )
    result = plan(
        project, msgspec.structs.replace(seen, containers=(*seen.containers, extra, once))
    )
    removed = [action.container_id for action in result.containers if action.kind == "remove"]
    assert removed == ["other"]


def test_a_down_stops_in_reverse_order_and_keeps_volumes(project: Project) -> None:
    result = plan_down("demo", observe(project))
    stages = [[action.name for action in stage] for stage in result.stages()]
    assert stages == [["demo-web-1", "demo-worker-1", "demo-worker-2"], ["demo-db-1"]]
    assert [action.name for action in result.networks] == ["demo_back", "demo_default"]
    assert result.volumes == ()
    assert len(plan_down("demo", observe(project), remove_volumes=True).volumes) == 1


def test_a_down_works_even_when_the_labels_make_a_cycle(project: Project) -> None:
    seen = alter(observe(project), "db", depends_on=("web",))
    names = {action.name for stage in plan_down("demo", seen).stages() for action in stage}
    assert names == {"demo-web-1", "demo-db-1", "demo-worker-1", "demo-worker-2"}


SHARING = """\
services:
  vpn: {image: vpn}
  app: {image: app, network_mode: "service:vpn"}
"""


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "leave"),
        ({"config_hash": "other"}, "recreate"),
        ({"state": "exited"}, "restart"),
    ],
)
def test_who_shares_a_network_follows_the_one_it_is_of(changes: dict[str, str], kind: str) -> None:
    project = load_text(SHARING)
    assert [need.service for need in project.services["app"].depends_on] == ["vpn"]
    observed = alter(observe(project), "vpn", **changes) if changes else observe(project)
    assert kinds(plan(project, observed))["demo-app-1"] == kind
