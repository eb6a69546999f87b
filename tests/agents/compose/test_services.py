"""Every key of a service, in its short and its long forms."""

import pytest

from agents.compose.model import (
    Attachment,
    Build,
    Dependency,
    Healthcheck,
    Limits,
    Logging,
    Mount,
    Port,
    Restart,
    Ulimit,
)
from tests.agents.compose.projects import load_service, load_text, service_problems

CASES = [
    ("command: echo 'a b'", "command", ("echo", "a b")),
    ("command: [echo, 1, true]", "command", ("echo", "1", "true")),
    ("command:", "command", None),
    ("command: []", "command", ()),
    ("entrypoint: ''", "entrypoint", ()),
    ("entrypoint: sh -c", "entrypoint", ("sh", "-c")),
    ("environment: {A: 1, B: true, C: 1.0, D: '', E: }", "environment",
     {"A": "1", "B": "true", "C": "1", "D": ""}),
    ("environment: [A=1, B=, GIVEN, NOT_GIVEN]", "environment",
     {"A": "1", "B": "", "GIVEN": "g"}),
    ("environment:", "environment", {}),
    ("labels: [a=b, c]", "labels", {"a": "b", "c": ""}),
    ("labels: {a: b, c: }", "labels", {"a": "b", "c": ""}),
    ("ports: [80, '1:2/udp']", "ports",
     (Port(target=80), Port(target=2, published=1, protocol="udp"))),
    ("ports: [{target: 80, published: '8080', host_ip: 127.0.0.1, protocol: tcp, mode: host}]",
     "ports", (Port(target=80, published=8080, host_ip="127.0.0.1"),)),
    ("ports: [{target: 80, published: 8000-8009}]", "ports",
     (Port(target=80, published=8000, published_last=8009),)),
    ("expose: [80, '90-91/udp']", "expose", ("80", "90-91/udp")),
    ("volumes: ['./a:/b:ro', /anonymous]", "volumes",
     (Mount(type="bind", source="/srv/demo/a", target="/b", read_only=True),
      Mount(type="volume", target="/anonymous"))),
    ("volumes: [{type: bind, source: ../x, target: /b/, bind: {create_host_path: false}}]",
     "volumes", (Mount(type="bind", source="/srv/x", target="/b", create_host_path=False),)),
    ("volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0o1777}}]", "volumes",
     (Mount(type="tmpfs", target="/t", tmpfs_size=1048576, tmpfs_mode=0o1777),)),
    ("tmpfs: /run:size=64k,mode=755", "volumes",
     (Mount(type="tmpfs", target="/run", tmpfs_size=65536, tmpfs_mode=0o755),)),
    ("networks: {default: {aliases: [x, y]}}", "networks",
     (Attachment(network="default", name="demo_default", aliases=("x", "y")),)),
    ("networks: [default]", "networks", (Attachment(network="default", name="demo_default"),)),
    ("network_mode: host", "networks", ()),
    ("network_mode: none", "network_mode", "none"),
    ("restart: on-failure:3", "restart", Restart(policy="on-failure", max_retries=3)),
    ("restart: unless-stopped", "restart", Restart(policy="unless-stopped")),
    ("restart: no", "restart", Restart()),
    ("restart: 'no'", "restart", Restart()),
    ("build: .", "build", Build(context="/srv/demo")),
    ("build: {context: ./x, dockerfile: D, args: [A=1, GIVEN], target: t}", "build",
     Build(context="/srv/demo/x", dockerfile="D", args={"A": "1", "GIVEN": "g"}, target="t")),
    ("build: {dockerfile_inline: FROM a}", "build",
     Build(context="/srv/demo", dockerfile="", dockerfile_inline="FROM a")),
    ("stop_grace_period: 1m30s", "stop_grace_period", 90.0),
    ("stop_signal: SIGINT", "stop_signal", "SIGINT"),
    ("init: true", "init", True),
    ("privileged: 'yes'", "privileged", True),
    ("read_only: ${GIVEN:+true}", "read_only", True),
    ("cap_add: [net_admin, CAP_SYS_TIME]", "cap_add", ("NET_ADMIN", "SYS_TIME")),
    ("user: 1000:1000", "user", "1000:1000"),
    ("user: 1000", "user", "1000"),
    ("working_dir: /app", "working_dir", "/app"),
    ("hostname: h", "hostname", "h"),
    ("extra_hosts: ['a:10.0.0.1', 'b=10.0.0.2', 'c:::1']", "extra_hosts",
     {"a": "10.0.0.1", "b": "10.0.0.2", "c": "::1"}),
    ("extra_hosts: {a: 10.0.0.1}", "extra_hosts", {"a": "10.0.0.1"}),
    ("dns: 1.1.1.1", "dns", ("1.1.1.1",)),
    ("ulimits: {nproc: 5, nofile: {soft: 1, hard: 2}}", "ulimits",
     (Ulimit(name="nofile", soft=1, hard=2), Ulimit(name="nproc", soft=5, hard=5))),
    ("sysctls: [net.ipv4.ip_forward=1]", "sysctls", {"net.ipv4.ip_forward": "1"}),
    ("mem_limit: 512m", "limits", Limits(memory=536870912)),
    ("{cpus: 0.5, pids_limit: 7}", "limits", Limits(cpus=0.5, pids=7)),
    ("deploy: {replicas: 3, resources: {limits: {cpus: '2', memory: 1g, pids: 9}}}", "limits",
     Limits(cpus=2.0, memory=1073741824, pids=9)),
    ("deploy: {replicas: 0}", "scale", 0),
    ("scale: 2", "scale", 2),
    ("pull_policy: if_not_present", "pull_policy", "missing"),
    ("healthcheck: {test: curl x, interval: 5s, retries: 3}", "healthcheck",
     Healthcheck(test=("CMD-SHELL", "curl x"), interval=5.0, retries=3)),
    ("healthcheck: {test: [NONE]}", "healthcheck", Healthcheck(test=("NONE",), disable=True)),
    ("logging: {driver: local, options: {max-size: 10k, max-file: '3'}}", "logging",
     Logging(max_size=10240, max_files=3)),
    ("logging: {driver: json-file}", "logging", None),
    ("x-mine: {a: [1]}", "image", "app"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "field", "value"), CASES)
def test_a_key_is_read(body: str, field: str, value: object) -> None:
    if body.startswith("{"):
        body = body.strip("{}").replace(", ", "\n")
    service = load_service(body, variables={"GIVEN": "g"}, working_dir="/srv/demo")
    assert getattr(service, field) == value


def test_dependencies_have_conditions() -> None:
    project = load_text(
        """
        services:
          web:
            image: a
            depends_on: {db: {condition: service_completed_successfully, restart: true}, b: }
          db: {image: a}
          b: {image: a, depends_on: [db]}
        """
    )
    assert project.services["web"].depends_on == (
        Dependency(service="b"),
        Dependency(service="db", condition="service_completed_successfully", restart=True),
    )


FILES = {
    "a.env": "A=1\nB=$GIVEN\n",
    "sub/b.env": "B=2\nC='$A'\n",
    "broken.env": "A=1\nB C\n",
}


def test_environment_wins_over_files_and_later_files_over_earlier_ones() -> None:
    body = "env_file: [a.env, {path: ./sub/b.env}]\nenvironment: [A=9]"
    service = load_service(body, files=FILES, variables={"GIVEN": "g"})
    assert service.environment == {"A": "9", "B": "2", "C": "$A"}


def test_a_file_that_is_not_required_may_be_missing() -> None:
    service = load_service("env_file: [{path: no.env, required: false}, a.env]", files=FILES)
    assert service.environment == {"A": "1", "B": ""}


def test_a_raw_file_is_taken_as_it_is() -> None:
    service = load_service("env_file: {path: sub/b.env, format: raw}", files=FILES)
    assert service.environment == {"B": "2", "C": "'$A'"}


@pytest.mark.parametrize(
    ("path", "file", "line"),
    [("no.env", "compose.yml", 4), ("../x", "compose.yml", 4), ("broken.env", "broken.env", 2)],
)
def test_a_file_of_variables_that_cannot_be_read_is_named(path: str, file: str, line: int) -> None:
    (problem,) = service_problems(f"env_file: {path}", files=FILES)
    assert (problem.file, problem.line) == (file, line)


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ("ports: [80, x]", "ports[1]", '"x" is not a port'),
        ("ports: [{published: 80}]", "ports[0]", '"target" is missing'),
        ("ports: 80", "ports", "a number does not fit here"),
        ("hostname: [x]", "hostname", "a list does not fit here"),
        ("restart: maybe", "restart", '"maybe" does not fit here'),
        ("restart: always:3", "restart", '"always:3" does not fit here'),
        ("volumes: ['~/a:/b']", "volumes[0]", 'starts with "~"'),
        ("volumes: [a:b]", "volumes[0]", "not an absolute path"),
        ("volumes: [{type: npipe, target: /a}]", "volumes[0].type", "does not fit here"),
        ("volumes: [{type: bind, target: /a}]", "volumes[0]", "needs a source"),
        ("volumes: [{type: bind, source: /a, target: /a, tmpfs: {}}]", "volumes[0]", "no place"),
        ("volumes: [/a, vol:/a]", "volumes[1]", "Two mounts have the target /a"),
        ("volumes: [/a]\ntmpfs: /a/", "tmpfs", "Two mounts have the target /a"),
        ("command: {a: b}", "command", "a mapping does not fit here"),
        ("depends_on: db", "depends_on", '"db" does not fit here'),
        ("command: 'echo \"'", "command", "never closed"),
        ("environment: {A: {}}", "environment.A", "a mapping does not fit here"),
        ("environment: [=x]", "environment[0]", "has no name"),
        ("environment: {'A ': 1}", "environment", "not a name of a variable"),
        ("environment: {A=B: 1}", "environment", "not a name of a variable"),
        ("depends_on: {web: {condition: ready}}", "depends_on.web.condition", "does not fit"),
        ("network_mode: 'service:'", "network_mode", "does not fit here"),
        ("network_mode: container:x\nports: [80]", "ports", "cannot publish ports"),
        ("ulimits: {files: 1}", "ulimits.files", "is not a limit"),
        ("ulimits: {nofile: {soft: 3, hard: 2}}", "ulimits.nofile", "higher than"),
        ("mem_limit: -5m", "mem_limit", "is not a size"),
        ("cpus: lots", "cpus", "does not fit here"),
        ("build: https://a.b/c.git", "build", "not supported yet"),
        ("scale: -1", "scale", "negative"),
        ("deploy: {replicas: 2}\nscale: 3", "deploy", "differ"),
        ("deploy: {resources: {limits: {memory: 1g}}}\nmem_limit: 2g", "deploy", "differ"),
        ("extra_hosts: ['h:host-gateway']", "extra_hosts[0]", "not supported yet"),
        ("dns: nowhere", "dns", "not an IP address"),
        ("container_name: -x", "container_name", "name of a container"),
        ("stop_grace_period: 5", "stop_grace_period", "not a duration"),
        ("hostname: ${X?needed}", "hostname", "X must be set: needed"),
        ("healthcheck: {test: [curl, x]}", "healthcheck.test", "cannot be the first word"),
        ("healthcheck: {test: [CMD]}", "healthcheck.test", "wrong number of words"),
        ("healthcheck: {retries: -1}", "healthcheck.retries", "negative"),
        ("logging: {options: {max_size: 1m}}", "logging.options.max_size", "not a key"),
        ("logging: {options: {max-size: big}}", "logging.options.max-size", "not a size"),
        ("logging: {options: {max-file: 0}}", "logging.options.max-file", "too few"),
        ("secrets: [a]", "secrets", "not supported yet"),
        ("gpus: all", "gpus", "not supported yet"),
        ("devices: [x]", "devices[0]", "no path of a device"),
        ("devices: ['/dev/x:/dev/y:q']", "devices[0]", "no access"),
        ("device_cgroup_rules: [all]", "device_cgroup_rules[0]", "no rule"),
        ("security_opt: [nothing]", "security_opt[0]", "not known"),
        ("security_opt: ['seccomp=missing.json']", "security_opt[0]", "missing.json"),
        ("userns_mode: mine", "userns_mode", "not known"),
        ("pid: sideways", "pid", "not known"),
        ("uts: mine", "uts", "not known"),
        ("shm_size: big", "shm_size", "not a size"),
        ("cpu_quota: 50000\ncpus: 2", "cpu_quota", "differ"),
        (
            "blkio_config: {device_read_bps: [{path: /dev/x}]}",
            "blkio_config.device_read_bps[0]",
            "both needed",
        ),
        ("depend_on: [a]", "depend_on", "not a key that is known here"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(body: str, path: str, message: str) -> None:
    problems = {problem.path: problem for problem in service_problems(body)}
    problem = problems[f"services.web.{path}"]
    assert message in problem.message
    assert problem.severity == "error"
    assert problem.line >= 4


@pytest.mark.parametrize(
    "key",
    [
        "logging: {driver: syslog, options: {a: b}}",
        "logging: {options: {compress: 'true'}}",
        "logging: {options: {max-size: -1}}",
        "platform: linux/arm64",
        "volumes: ['./a:/b:bogus']",
        "deploy: {placement: {}}",
    ],
)
def test_what_is_without_effect_is_a_warning(key: str) -> None:
    (problem,) = service_problems(key)
    assert (problem.severity, problem.code) == ("warning", "ignored")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("logging: {driver: json_file}", 'Did you mean "json-file"?'),
        ("logging: {driver: gelf}", "The engine keeps the logs of all containers itself."),
        ("logging: {options: {max_size: 1m}}", 'Did you mean "max-size"?'),
    ],
)
def test_logging_says_what_would_be_right(body: str, hint: str) -> None:
    (problem,) = service_problems(body)
    assert problem.hint == hint


def test_an_unset_variable_is_a_warning_said_once() -> None:
    problems = service_problems("hostname: a$NONE\nuser: b$NONE")
    assert [problem.code for problem in problems] == ["unset_variable"]


def test_a_typing_error_in_a_key_gets_the_right_key() -> None:
    (problem,) = service_problems("dependson: [a]")
    assert problem.hint == 'Did you mean "depends_on"?'
