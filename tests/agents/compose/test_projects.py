"""A whole project: names, files, references and what is wrong between services."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.compose import ComposeErrors, check, load
from tests.agents.compose.projects import check_text, load_text

WEB = "services: {web: {image: app}}\n"


@pytest.mark.parametrize(
    ("options", "text", "name"),
    [
        ({"project_name": "given", "variables": {"COMPOSE_PROJECT_NAME": "v"}}, "name: n", "given"),
        ({"variables": {"COMPOSE_PROJECT_NAME": "v"}}, "name: n", "v"),
        ({"working_dir": "/srv/folder"}, "name: n$X", "n1"),
        ({"working_dir": "/srv/My Folder!/"}, "", "myfolder"),
    ],
)
def test_the_projects_name_comes_from_the_first_that_has_one(
    options: dict[str, object], text: str, name: str
) -> None:
    files = {"compose.yml": WEB + text, ".env": "X=1"}
    assert load(files, **options).name == name


@pytest.mark.parametrize("name", ["Upper", "-x", "a.b", "x" * 64])
def test_a_wrong_name_of_a_project_is_refused(name: str) -> None:
    with pytest.raises(ComposeErrors, match="cannot be the name of a project"):
        load({"compose.yml": WEB}, project_name=name)


def test_everything_gets_its_real_name() -> None:
    project = load_text(
        """
        services:
          web: {build: ., networks: [front, own], volumes: [data:/d, old:/o]}
          db: {image: pg}
        networks: {front: , own: {name: mine}, unused: }
        volumes: {data: , old: {external: true}, unused: }
        """
    )
    assert {key: network.name for key, network in project.networks.items()} == {
        "default": "demo_default",
        "front": "demo_front",
        "own": "mine",
    }
    assert {key: volume.name for key, volume in project.volumes.items()} == {
        "data": "demo_data",
        "old": "old",
    }
    assert project.services["web"].image == "demo-web"
    assert [mount.volume_name for mount in project.services["web"].volumes] == ["demo_data", "old"]


def test_a_subnet_of_a_network_is_read() -> None:
    project = load_text(
        """
        services: {web: {image: a, networks: {n: {ipv4_address: 10.9.0.5}}}}
        networks: {n: {internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}, labels: [a=b]}}
        """
    )
    network = project.networks["n"]
    assert (network.internal, network.subnets[0].subnet) == (True, "10.9.0.0/24")


def test_profiles_choose_services() -> None:
    text = "services: {a: {image: x}, b: {image: x, profiles: [debug]}}"
    assert set(load_text(text).services) == {"a"}
    assert load_text(text).disabled == ("b",)
    assert set(load_text(text, profiles=("debug",)).services) == {"a", "b"}
    assert set(load_text(text, variables={"COMPOSE_PROFILES": "x,debug"}).services) == {"a", "b"}


def test_variables_given_win_over_the_file_of_variables() -> None:
    text = "services: {a: {image: '$A-$B-$COMPOSE_PROJECT_NAME'}}"
    project = load_text(text, files={".env": "A=1\nB=2\n"}, variables={"B": "3"})
    assert project.services["a"].image == "1-3-demo"


def test_all_errors_are_found_at_once_in_the_order_of_lines() -> None:
    problems = check_text(
        """\
        services:
          web:
            image: 5
            ports: [x]
          db: {imag: pg}
        """
    ).errors
    assert [(p.line, p.path) for p in problems] == [
        (3, "services.web.image"),
        (4, "services.web.ports[0]"),
        (5, "services.db"),
        (5, "services.db.imag"),
    ]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("a: {image: x, depends_on: [c]}", "services.a.depends_on[0]", '"c" is not defined'),
        ("a: {image: x, depends_on: [a]}", "services.a.depends_on[0]", "a → a"),
        ("a: {image: x, depends_on: {b: }}\n  b: {image: x, depends_on: [a]}",
         "services.a.depends_on.b", "a → b → a"),
        ("a: {image: x, networks: [n]}", "services.a.networks[0]", 'network "n" is not defined'),
        ("a: {image: x, volumes: ['vol:/v']}", "services.a.volumes[0]", '"vol" is not defined'),
        ("a: {image: x, volumes: [{type: volume, source: vol, target: /v}]}",
         "services.a.volumes[0]", '"vol" is not defined'),
        ("a: {}", "services.a", "neither an image nor a build"),
        ("a:", "services.a", "nothing does not fit here"),
        ("a b: {image: x}", "services.a b", "name of a service"),
        ("a: {image: x, container_name: cc}\n  b: {image: x, container_name: cc}",
         "services.b.container_name", 'service "a" has the same'),
        ("a: {image: x, container_name: cc, scale: 2}",
         "services.a.container_name", "2 containers"),
        ("a: {image: x, ports: ['80:1']}\n  b: {image: x, ports: ['127.0.0.1:80:2']}",
         "services.b.ports[0]", 'port 80/tcp is taken by the service "a" (line 2)'),
        ("a: {image: x, scale: 2, ports: ['80:1']}", "services.a.ports[0]", "cannot share"),
        ("a: {image: x, network_mode: host, networks: [default]}",
         "services.a.network_mode", "not both"),
        ("a: {image: x, networks: {default: {ipv4_address: 10.0.0.1}}}",
         "services.a.networks.default.ipv4_address", "no subnet"),
        ("a: {image: x, depends_on: [p]}\n  p: {image: x, profiles: [q]}",
         "services.a.depends_on[0]", "switched off"),
        ("a: {image: x, depends_on: {p: {condition: service_healthy}}}\n"
         "  p: {image: x, healthcheck: {disable: true}}",
         "services.a.depends_on.p.condition", "health check of \"p\" is switched off"),
    ],
)  # fmt: skip
def test_what_is_wrong_between_services_is_named(text: str, path: str, message: str) -> None:
    (problem,) = check_text(f"services:\n  {text}\n").errors
    assert problem.path == path
    assert message in problem.message


@pytest.mark.parametrize(
    "ports",
    [
        ("80:1", "80:1/udp"),
        ("127.0.0.1:80:1", "127.0.0.2:80:1"),
        ("1", "1"),
        ("80-89:1", "80-89:1"),
    ],
)
def test_ports_that_do_not_clash_are_allowed(ports: tuple[str, str]) -> None:
    services = (f"{{image: x, ports: ['{port}']}}" for port in ports)
    text = "services: {{a: {}, b: {}}}".format(*services)
    assert check_text(text).problems == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "file is empty"),
        ("- a", "a list does not fit here"),
        ("services:", "no services"),
        ("services: {}", "no services"),
        ("services: []", "a list does not fit here"),
        (WEB + "secrets: {}", '"secrets" is not supported yet'),
        (WEB + "include: [x]", '"include" is not supported yet'),
        (WEB + "service: {}", "is not a key that is known here"),
        (WEB + "networks: {n: {driver: overlay}}", '"overlay" is not supported yet'),
        (WEB + "volumes: {v: {external: true, labels: {a: b}}}", "exists already"),
        ("services: {a: {extends: b}}", '"extends" is not supported yet'),
        (WEB + "volumes: {v: {driver: nfs}}", '"nfs" is not supported yet'),
        (WEB + "volumes: {v: {driver_opts: {size: 1}}}", '"size" is not known'),
    ],
)
def test_what_is_wrong_at_the_top_is_named(text: str, message: str) -> None:
    (problem,) = check_text(text).errors
    assert message in problem.message


def test_without_a_compose_file_it_says_which_to_add() -> None:
    (problem,) = check({"x.yml": WEB}).errors
    assert problem.message == "There is no compose file"


def test_an_override_file_is_not_passed_over_in_silence() -> None:
    checked = check_text(WEB, files={"compose.override.yml": WEB})
    assert "not read yet" in checked.problems[0].message


def test_options_of_an_external_network_are_not_passed_over_in_silence() -> None:
    (problem,) = check_text(WEB + "networks: {n: {external: true, internal: true}}").problems
    assert (problem.path, problem.severity) == ("networks.n.internal", "warning")


def test_version_and_own_keys_are_allowed() -> None:
    assert check_text(f"version: '3.8'\nx-a: [1]\n{WEB}").problems == ()


def test_an_error_names_no_value_of_a_variable() -> None:
    checked = check_text(
        "services: {a: {image: x, hostname: '${NO:?$PW}'}}", variables={"PW": "s3"}
    )
    assert checked.errors


KEYS = (
    "services web image ports volumes networks depends_on build deploy environment name "
    "healthcheck ulimits x-a a"
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(DOCUMENTS)
def test_no_document_makes_it_crash(document: object) -> None:
    check({"compose.yml": json.dumps({"services": {"web": document}, "networks": document})})
    check({"compose.yml": json.dumps(document)})
